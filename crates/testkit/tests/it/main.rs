//! The kit against the real encoders and decoders.

mod clips;
mod truth;
