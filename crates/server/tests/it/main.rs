//! The binary itself, from its command line to what it leaves behind.

#[cfg(test)]
mod annotate;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod child;
#[cfg(test)]
mod choice;
#[cfg(test)]
mod config;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod guide;
#[cfg(test)]
mod hardware;
#[cfg(test)]
mod help;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod models;
#[cfg(test)]
mod ocelli;
#[cfg(test)]
mod outputs;
#[cfg(test)]
mod repeat;
#[cfg(test)]
mod results;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod several;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod tokens;
mod usage;
#[cfg(test)]
mod user_models;
