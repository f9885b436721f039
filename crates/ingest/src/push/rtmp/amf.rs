//! Values that RTMP's commands are written in (Adobe, Action Message Format, AMF 0). Bounded in depth and number: they are
//! read before anybody has shown a secret.

#[cfg(test)]
mod tests;

/// Deepest nesting; publishers use two levels.
const DEEPEST: usize = 8;
/// Most values in one message, those inside of others included.
const MOST_VALUES: usize = 1024;

/// One value. What publishers have no use for (dates, references, XML) reads as [`Value::Null`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// All numbers are 64-bit floats.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
    /// Bytes that are not UTF-8 are replaced.
    String(String),
    /// Of any of the three kinds of objects, in their order.
    Object(Vec<(String, Value)>),
    /// Values without names.
    Array(Vec<Value>),
    /// Nothing, or nothing of interest.
    Null,
}

/// Why bytes are no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmfError {
    /// They end inside a value.
    #[error("a value is cut short")]
    Short,
    /// A kind of value that AMF 0 does not have, or that only another version can say.
    #[error("a value is of unknown kind {0}")]
    Kind(u8),
    /// Objects within objects.
    #[error("values are nested more than {DEEPEST} deep")]
    Deep,
    /// Too many.
    #[error("more than {MOST_VALUES} values")]
    Many,
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::String(text.to_owned())
    }

    /// The property of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(properties) => {
                properties.iter().find(|(own, _)| own == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// A text's text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number that counts something, rounded; none where it counts nothing that there can be.
    pub fn as_count(&self) -> Option<u32> {
        match self {
            Self::Number(number) if (0.0..=f64::from(u32::MAX)).contains(number) => {
                Some(number.round() as u32)
            }
            _ => None,
        }
    }
}

/// All values of a message.
pub fn read(bytes: &[u8]) -> Result<Vec<Value>, AmfError> {
    let mut reader = Reader { bytes, left: MOST_VALUES };
    let mut values = Vec::new();
    while !reader.bytes.is_empty() {
        values.push(reader.value(DEEPEST)?);
    }
    Ok(values)
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Values that may still come.
    left: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], AmfError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(AmfError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], AmfError> {
        let (taken, rest) = self.bytes.split_first_chunk().ok_or(AmfError::Short)?;
        self.bytes = rest;
        Ok(*taken)
    }

    fn text(&mut self, length: usize) -> Result<String, AmfError> {
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn short_text(&mut self) -> Result<String, AmfError> {
        let length = u16::from_be_bytes(self.array()?);
        self.text(length.into())
    }

    fn long_text(&mut self) -> Result<String, AmfError> {
        let length = u32::from_be_bytes(self.array()?);
        self.text(length as usize)
    }

    fn value(&mut self, depth: usize) -> Result<Value, AmfError> {
        self.left = self.left.checked_sub(1).ok_or(AmfError::Many)?;
        let inner = depth.checked_sub(1).ok_or(AmfError::Deep)?;
        let [kind] = self.array()?;
        Ok(match kind {
            0 => Value::Number(f64::from_be_bytes(self.array()?)),
            1 => Value::Boolean(self.array::<1>()? != [0]),
            2 => Value::String(self.short_text()?),
            3 => Value::Object(self.properties(inner)?),
            // Null, undefined, unsupported.
            5 | 6 | 13 => Value::Null,
            // A reference to an object before.
            7 => self.take(2).map(|_number| Value::Null)?,
            8 => {
                // How many it holds is a hint only: encoders write 0.
                self.take(4)?;
                Value::Object(self.properties(inner)?)
            }
            10 => {
                let count = u32::from_be_bytes(self.array()?);
                // Each takes a byte at least, so this ends with the message.
                Value::Array((0..count).map(|_| self.value(inner)).collect::<Result<_, _>>()?)
            }
            // A date: milliseconds and a time zone.
            11 => self.take(10).map(|_date| Value::Null)?,
            12 => Value::String(self.long_text()?),
            // XML.
            15 => self.long_text().map(|_document| Value::Null)?,
            16 => {
                self.short_text()?;
                Value::Object(self.properties(inner)?)
            }
            other => return Err(AmfError::Kind(other)),
        })
    }

    /// Up to the mark of their end, or to the end of the message, where some encoders leave the mark out.
    fn properties(&mut self, depth: usize) -> Result<Vec<(String, Value)>, AmfError> {
        const END: u8 = 9;
        let mut properties = Vec::new();
        while !self.bytes.is_empty() {
            let name = self.short_text()?;
            if name.is_empty() && self.bytes.first() == Some(&END) {
                self.take(1)?;
                break;
            }
            properties.push((name, self.value(depth)?));
        }
        Ok(properties)
    }
}

/// Writes a value. Texts beyond 65535 bytes are not ours to write: they are cut.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.push(0);
            out.extend(number.to_be_bytes());
        }
        Value::Boolean(yes) => out.extend([1, u8::from(*yes)]),
        Value::String(text) => {
            out.push(2);
            write_text(text, out);
        }
        Value::Object(properties) => {
            out.push(3);
            for (name, value) in properties {
                write_text(name, out);
                write(value, out);
            }
            out.extend([0, 0, 9]);
        }
        Value::Array(values) => {
            out.push(10);
            out.extend((values.len() as u32).to_be_bytes());
            for value in values {
                write(value, out);
            }
        }
        Value::Null => out.push(5),
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    let bytes = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}
