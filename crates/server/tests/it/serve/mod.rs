//! `ocelli serve` as its clients and operators meet it: a process behind a socket.

mod asking;
mod contract;
mod served;
