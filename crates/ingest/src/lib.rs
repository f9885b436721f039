//! Files (later sockets and devices) to access units.
