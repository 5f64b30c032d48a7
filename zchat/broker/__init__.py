"""The shell: every server-side socket, the clock, the signals, and no rule of the chat.

`server` is the loop and `turn` one round of it between core and journal. Around them:
`sockets` (how they are opened), `connections` and `descriptors` (who is connected),
`intake` and `subscriptions` (what is read), `guard` (what may be held), `restart`, `logbook`.
"""
