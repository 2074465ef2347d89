"""A whole botcore on one machine: embedded servers, our processes, one supervisor."""
