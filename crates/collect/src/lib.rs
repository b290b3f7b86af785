//! Takes records from networks and local sockets, and makes senders wait rather than lose any.
