"""Who changed what, and when: the trail that operators read."""
