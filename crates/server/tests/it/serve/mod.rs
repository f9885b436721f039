//! `ocelli serve` as its clients and operators meet it: a process behind a socket.

mod analyzer;
mod asking;
mod cameras;
mod clocks;
mod contract;
mod disk;
mod drain;
mod events;
mod hostile;
mod killed;
mod paused;
mod posted;
mod published;
mod recorded;
mod rights;
mod secrets;
mod served;
mod sounds;
mod untrusted;
mod viewers;
