"""Whether Redis is there and the streams are on time, and what holds while they are not."""
