//! `ocelli serve` as its clients and operators meet it: a process behind a socket.

mod asking;
mod cameras;
mod contract;
mod drain;
mod killed;
mod secrets;
mod served;
