//! What this machine's CPU can do, as far as it decides how models run.

use std::{fs, thread};

use serde::Serialize;

use crate::runtime::Precision;

/// Instruction sets that matter to model runtimes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CpuFeatures {
    /// What the maker calls it, empty where unknown.
    pub model: String,
    /// Cores this process may use.
    pub cores: usize,
    /// The names of `KNOWN_FLAGS` that the kernel lists, in that order.
    pub flags: Vec<&'static str>,
}

/// In falling order of what they are worth to a model.
const KNOWN_FLAGS: [&str; 9] = [
    "amx_tile",
    "amx_bf16",
    "amx_int8",
    "avx512_bf16",
    "avx512_vnni",
    "avx512f",
    "avx_vnni",
    "avx2",
    "asimd",
];

/// Reads the features of this machine. Where the kernel does not tell them there are none.
pub fn cpu_features() -> CpuFeatures {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    CpuFeatures { cores: thread::available_parallelism().map_or(1, usize::from), ..CpuFeatures::parse(&text) }
}

impl CpuFeatures {
    /// From the text of `/proc/cpuinfo`: the kernel leaves out what it has switched off, which the CPU's own answer
    /// does not.
    pub fn parse(text: &str) -> Self {
        let value = |name: &str| {
            let mut fields = text.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(key, _)| key.trim() == name).map_or("", |(_, value)| value.trim())
        };
        let listed = if value("flags").is_empty() { value("Features") } else { value("flags") };
        let has = |flag: &&str| listed.split_whitespace().any(|word| word == *flag);
        let flags = KNOWN_FLAGS.into_iter().filter(has).collect();
        Self { model: value("model name").to_owned(), cores: 0, flags }
    }

    /// Whether the kernel lists `flag`.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    /// Matrix units that multiply bfloat16.
    pub fn has_amx(&self) -> bool {
        self.has("amx_tile") && self.has("amx_bf16")
    }

    /// CPUs of one class are taken to compute the same results: architecture and widest usable instruction set.
    pub fn class(&self) -> String {
        let widest = ["avx512_bf16", "avx512_vnni", "avx512f", "avx_vnni", "avx2", "asimd"];
        let widest = widest.into_iter().find(|flag| self.has(flag)).unwrap_or("baseline");
        let widest = if self.has_amx() { "amx_bf16" } else { widest };
        format!("{} {widest}", std::env::consts::ARCH)
    }

    /// The precision models run in unless the lock file says otherwise: bf16 where the CPU multiplies it by itself.
    /// Matrix units (AMX) gain most; AVX-512 BF16 without them still halves the default model's cost, with the same
    /// detections (293 of 295 on the reference pictures).
    pub fn precision(&self) -> Precision {
        if self.has_amx() || self.has("avx512_bf16") { Precision::Bf16 } else { Precision::F32 }
    }
}

#[cfg(test)]
mod tests;
