"""The wire: what client and broker say to each other, as records and as bytes. No policy.

Read `requests`, `replies` and `events` for what is said, `codec` and `seal` for how.
"""
