"""The name under which the score waits in a test's report until pytest sums up.

A report, and not the session: the test may have run in another process.
"""

SCORE = "mutations"
