//! TLS from PEM files: configurations of servers and clients, and the names in a certificate.
