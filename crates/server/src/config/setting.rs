//! Kinds of values: how each is read from a file or a word, and shown again.

use std::path::{Path, PathBuf};

use toml::Value;

/// Most entries of a list.
const MOST_ENTRIES: usize = 256;
/// How a value that may be absent is taken away.
const NONE: &str = "none";

/// A kind of value. Its default stands in where the given value is wrong, which ends the reading anyway, and where a key
/// without a default is not given.
pub(crate) trait Setting: Default {
    /// What a value looks like: `a duration such as "10 s"`.
    fn expects() -> String;

    /// What a word of the environment or the command line means; [`Setting::read`] judges it.
    fn from_text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    /// Reads it; relative paths begin at `base`.
    fn read(value: &Value, base: &Path) -> Result<Self, Faults>;

    /// As in a file; `None` where it is not set or secret.
    fn shown(&self) -> Option<Value>;

    /// Whether it lies between two others, both included. Kinds without order have no ends.
    fn within(&self, _low: &Self, _high: &Self) -> bool {
        true
    }
}

/// Something wrong with a value, or with a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where below the key, such as `.0.role`; empty for the value itself.
    pub(crate) at: String,
    /// What is wrong, and what to do.
    pub(crate) says: String,
}

/// All that is wrong with a value; never empty.
pub(crate) type Faults = Vec<Fault>;

/// One thing wrong with a value as a whole.
pub(crate) fn wrong(says: impl Into<String>) -> Faults {
    vec![Fault { at: String::new(), says: says.into() }]
}

/// A value of another kind than expected.
pub(crate) fn unexpected<K: Setting>(value: &Value) -> Faults {
    let found = match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        other => format!("a value of the kind {}", other.type_str()),
    };
    wrong(format!("expected {}, found {found:.80}", K::expects()))
}

/// The faults of a part, as seen from the whole.
pub(crate) fn below(part: &str, faults: Faults) -> Faults {
    faults.into_iter().map(|fault| Fault { at: format!(".{part}{}", fault.at), says: fault.says }).collect()
}

impl Setting for bool {
    fn expects() -> String {
        "true or false".to_owned()
    }

    fn from_text(text: &str) -> Value {
        text.parse().map_or_else(|_error| Value::String(text.to_owned()), Value::Boolean)
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        value.as_bool().ok_or_else(|| unexpected::<Self>(value))
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::Boolean(*self))
    }
}

/// Whole numbers.
macro_rules! numbers {
    ($($kind:ty)+) => {$(
        impl Setting for $kind {
            fn expects() -> String {
                format!("a whole number of at most {}", Self::MAX)
            }

            fn from_text(text: &str) -> Value {
                text.parse().map_or_else(|_error| Value::String(text.to_owned()), Value::Integer)
            }

            fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
                let number = value.as_integer().and_then(|number| Self::try_from(number).ok());
                number.ok_or_else(|| unexpected::<Self>(value))
            }

            fn shown(&self) -> Option<Value> {
                Some(Value::Integer((*self).into()))
            }

            fn within(&self, low: &Self, high: &Self) -> bool {
                (low..=high).contains(&self)
            }
        }
    )+};
}
numbers!(u8 u16 u32);

impl Setting for String {
    fn expects() -> String {
        "a word in quotes".to_owned()
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| unexpected::<Self>(value))
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::String(self.clone()))
    }
}

impl Setting for PathBuf {
    fn expects() -> String {
        "a path such as \"/var/lib/ocelli\"".to_owned()
    }

    fn read(value: &Value, base: &Path) -> Result<Self, Faults> {
        match value.as_str() {
            None => Err(unexpected::<Self>(value)),
            Some("") => Err(wrong("the path is empty; leave the key out for its default")),
            Some(text) if text.contains('\0') => Err(wrong("a path holds no zero byte")),
            Some(text) if text == "~" || text.starts_with("~/") => Err(wrong(format!(
                "{text:?} begins with ~, which only a shell replaces; write the whole path"
            ))),
            Some(text) => Ok(base.join(text)),
        }
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::String(self.display().to_string()))
    }
}

impl<T: Setting> Setting for Option<T> {
    fn expects() -> String {
        format!("{}, or \"none\"", T::expects())
    }

    fn from_text(text: &str) -> Value {
        if text == NONE { Value::String(NONE.to_owned()) } else { T::from_text(text) }
    }

    fn read(value: &Value, base: &Path) -> Result<Self, Faults> {
        if value.as_str() == Some(NONE) { Ok(None) } else { T::read(value, base).map(Some) }
    }

    fn shown(&self) -> Option<Value> {
        self.as_ref().map_or_else(|| Some(Value::String(NONE.to_owned())), T::shown)
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        match (self, low, high) {
            (Some(value), Some(low), Some(high)) => value.within(low, high),
            _ => true,
        }
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn expects() -> String {
        format!("a list, each {}", T::expects())
    }

    /// `a,b`, or as in a file, which is also how JSON writes lists of words: `["a", "b"]`.
    fn from_text(text: &str) -> Value {
        if text.trim_start().starts_with('[') {
            let table: Option<toml::Table> = format!("list = {text}").parse().ok();
            let list = table.and_then(|mut table| table.remove("list"));
            return list.unwrap_or_else(|| Value::String(text.to_owned()));
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Value::Array(parts.map(T::from_text).collect())
    }

    fn read(value: &Value, base: &Path) -> Result<Self, Faults> {
        let Value::Array(entries) = value else {
            // A list of one needs no brackets.
            return Ok(vec![T::read(value, base)?]);
        };
        if entries.len() > MOST_ENTRIES {
            return Err(wrong(format!("{} entries; at most {MOST_ENTRIES} are allowed", entries.len())));
        }
        let (mut read, mut faults) = (Self::new(), Faults::new());
        for (index, entry) in entries.iter().enumerate() {
            match T::read(entry, base) {
                Ok(entry) => read.push(entry),
                Err(found) => faults.extend(below(&index.to_string(), found)),
            }
        }
        if faults.is_empty() { Ok(read) } else { Err(faults) }
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::Array(self.iter().filter_map(T::shown).collect()))
    }
}
