//! The loop from source to results, on real files.

#[cfg(test)]
mod annotated;
#[cfg(test)]
mod choice;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod kept;
#[cfg(test)]
mod look;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod streams;
