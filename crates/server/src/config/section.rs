//! One declaration per key: the field, its words in documents, its default, its limits and its other names.

use toml::Value;

use super::{reader::Reader, setting::Setting};

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Its section, such as `server.tls`.
    pub(crate) section: &'static str,
    /// Its name within the section.
    pub(crate) name: &'static str,
    /// The field's documentation.
    pub(crate) about: &'static str,
    /// What holds unless it is given.
    pub(crate) fallback: Fallback,
    /// Least and greatest value, both allowed.
    pub(crate) range: Option<(&'static str, &'static str)>,
    /// Environment names beside its own, in falling precedence.
    pub(crate) aliases: &'static [&'static str],
    /// The value that a word of the environment or the command line means.
    pub(crate) from_text: fn(&str) -> Value,
}

/// What a key has without anybody's doing. Written as in the environment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fallback {
    /// A value.
    Default(&'static str),
    /// Nothing, or what depends on the machine; this is what it may look like.
    Example(&'static str),
}

impl Key {
    /// Its name from the root: `server.tls.cert`.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// Its own name in the environment: `OCELLI_SERVER_TLS_CERT`.
    pub(crate) fn environment(&self) -> String {
        format!("OCELLI_{}", self.path().replace('.', "_").to_uppercase())
    }
}

/// A part of the configuration.
pub(crate) trait Section: Sized {
    /// As in the file: `server.tls`.
    const PATH: &'static str;
    /// What it is about.
    const ABOUT: &'static str;
    /// Its keys, in the order of the documents.
    const KEYS: &'static [Key];

    /// Reads its keys. What is wrong is noted in the reader, and then stands as nothing here.
    fn read(reader: &mut Reader<'_>) -> Self;

    /// The values it has; `None` for what is not set, and for secrets.
    fn shown(&self) -> Vec<(&'static Key, Option<Value>)>;
}

/// A section's struct from one list, so that no key can be without documentation, default or name:
///
/// ```text
/// /// What it does.
/// field: Type, default "text" [, from "least" to "most"] [, also "ALIAS" ...];
/// field: Option<Type>, example "text";
/// ```
macro_rules! section {
    (@key $kind:ty, $path:literal, $field:ident, [$($doc:literal)+], $how:ident $text:literal, [$($low:literal $high:literal)?], [$($alias:literal)*]) => {
        $crate::config::section::Key {
            section: $path,
            name: stringify!($field),
            about: concat!($($doc, "\n"),+),
            fallback: section!(@$how $text),
            range: section!(@range $($low $high)?),
            aliases: &[$($alias),*],
            from_text: <$kind as $crate::config::setting::Setting>::from_text,
        }
    };
    (@default $text:literal) => { $crate::config::section::Fallback::Default($text) };
    (@example $text:literal) => { $crate::config::section::Fallback::Example($text) };
    (@range) => { None };
    (@range $low:literal $high:literal) => { Some(($low, $high)) };
    (
        $(#[doc = $about:literal])+
        struct $name:ident = $path:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $kind:ty, $how:ident $text:literal $(, from $low:literal to $high:literal)? $(, also $($alias:literal)+)?;
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ pub(crate) $field: $kind,)+
        }

        impl $crate::config::section::Section for $name {
            const PATH: &'static str = $path;
            const ABOUT: &'static str = concat!($($about, "\n"),+);
            const KEYS: &'static [$crate::config::section::Key] = &[$(
                section!(@key $kind, $path, $field, [$($doc)+], $how $text, [$($low $high)?], [$($($alias)+)?]),
            )+];

            fn read(reader: &mut $crate::config::reader::Reader<'_>) -> Self {
                Self {$(
                    $field: reader.read(
                        &section!(@key $kind, $path, $field, [$($doc)+], $how $text, [$($low $high)?], [$($($alias)+)?])
                    ),
                )+}
            }

            fn shown(&self) -> Vec<(&'static $crate::config::section::Key, Option<toml::Value>)> {
                Self::KEYS.iter().zip([$($crate::config::setting::Setting::shown(&self.$field)),+]).collect()
            }
        }
    };
}
pub(crate) use section;

/// Whether a value lies within a key's range; the range's ends are of the key's own kind.
pub(super) fn within<K: Setting>(value: &K, range: (&str, &str)) -> bool {
    let end = |text: &str| K::read(&K::from_text(text), std::path::Path::new(""));
    matches!((end(range.0), end(range.1)), (Ok(low), Ok(high)) if value.within(&low, &high))
}
