# One image for the broker and for clients: `zchat` with a data folder at /data.
FROM python:3.13-slim

# Only what an installation needs, so that editing a document does not install anew.
WORKDIR /opt/zchat
COPY pyproject.toml README.md LICENSE ./
COPY zchat zchat
RUN pip install --no-cache-dir --disable-pip-version-check .
COPY examples examples

# Nobody in particular: the broker needs its data folder and two ports, no rights.
RUN useradd --system --uid 10001 --create-home zchat && install -d -o zchat -g zchat -m 0700 /data
USER zchat
VOLUME /data
ENV ZCHAT_DATA=/data PYTHONUNBUFFERED=1
EXPOSE 5555 5556

# A ping through the real protocol. It fails in containers that are clients only; compose.yaml
# switches it off there.
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 \
  CMD ["zchat", "ping"]

# SIGTERM drains: clients are told, nothing acknowledged is lost, exit 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["zchat"]
CMD ["broker"]
