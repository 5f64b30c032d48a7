"""What zchat tests itself with, for those who build on it. Nothing here needs a test runner.

`journals` holds a journal to its port; `process` runs a real broker that can be killed.
"""
