# One image for the broker and for clients: `zchat`, with the broker's data at /data.
FROM python:3.13-slim

# Only what an installation needs, so that a changed document does not install anew.
WORKDIR /tmp/source
COPY pyproject.toml README.md LICENSE ./
COPY zchat zchat
RUN pip install --no-cache-dir --disable-pip-version-check . && rm -r /tmp/source
WORKDIR /opt/zchat
COPY examples examples

# Nobody in particular: a broker needs its data folder and two ports, and no rights.
RUN useradd --system --create-home zchat && install -d -o zchat -g zchat -m 0700 /data
USER zchat
VOLUME /data
ENV ZCHAT_DATA=/data PYTHONUNBUFFERED=1
EXPOSE 5555 5556

# Asks the broker in this container, through the real protocol.
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["zchat", "ping"]

# SIGTERM drains: clients are told, nothing acknowledged is lost, exit 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["zchat"]
CMD ["broker"]
