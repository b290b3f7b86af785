//! Events for others, after they are stored: files, syslog receivers, another hub.
