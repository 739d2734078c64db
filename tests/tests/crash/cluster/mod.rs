//! Several servers of one database that are killed, frozen, restarted and separated while clients use them.
//!
//! The nodes are processes of the binary `crash-server`. A client that loses its connection moves to another node, resumes its
//! threads there, and sends its unacknowledged messages again. In the end, the store and the views of all clients must agree.

mod bus;
mod failures;
mod fleet;
mod progress;
mod roaming;
mod rolling_restart;
mod scenario;
