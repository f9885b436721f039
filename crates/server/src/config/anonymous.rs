//! Rules that let clients in without a credential.

use std::path::Path;

use toml::Value;

use super::{
    nearest::did_you_mean,
    setting::{Fault, Faults, Setting, below, unexpected, wrong},
    words::{Contract, Range, Role},
};

const NAMES: [&str; 4] = ["contract", "networks", "role", "streams"];

/// Clients of these networks use one interface in one role without a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnonymousRule {
    /// The interface; the others still ask for a credential.
    pub(crate) contract: Contract,
    /// Addresses of clients as the server sees them; at least one.
    pub(crate) networks: Vec<Range>,
    /// What they may do.
    pub(crate) role: Role,
    /// On which streams, by ids and beginnings such as `front-*`; all if `None`.
    pub(crate) streams: Option<Vec<String>>,
}

impl Setting for AnonymousRule {
    fn expects() -> String {
        "a table with contract, networks, role and perhaps streams".to_owned()
    }

    fn read(value: &Value, base: &Path) -> Result<Self, Faults> {
        let table = value.as_table().ok_or_else(|| unexpected::<Self>(value))?;
        let mut faults: Faults = table
            .keys()
            .filter(|key| !NAMES.contains(&key.as_str()))
            .map(|key| Fault {
                at: format!(".{key}"),
                says: format!("unknown key{}", did_you_mean(key, NAMES)),
            })
            .collect();
        let streams = table.get("streams").map(|value| Vec::read(value, base)).transpose();
        let rule = Self {
            contract: part(table, "contract", base, &mut faults),
            networks: part(table, "networks", base, &mut faults),
            role: part(table, "role", base, &mut faults),
            streams: streams.unwrap_or_else(|found| {
                faults.extend(below("streams", found));
                None
            }),
        };
        if table.contains_key("networks") && rule.networks.is_empty() && faults.is_empty() {
            faults.extend(below(
                "networks",
                wrong("no network; write [\"0.0.0.0/0\", \"::/0\"] for everybody"),
            ));
        }
        if faults.is_empty() { Ok(rule) } else { Err(faults) }
    }

    fn shown(&self) -> Option<Value> {
        let streams = self.streams.as_ref().and_then(Setting::shown);
        let values = [self.contract.shown(), self.networks.shown(), self.role.shown(), streams];
        let pairs = NAMES.into_iter().zip(values);
        Some(Value::Table(pairs.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()))
    }
}

/// One of the rule's keys, all of which are needed: nobody is let in by a default.
fn part<K: Setting>(table: &toml::Table, name: &str, base: &Path, faults: &mut Faults) -> K {
    let read = match table.get(name) {
        Some(value) => K::read(value, base),
        None => Err(wrong(format!("missing; a rule names its {name}: {}", K::expects()))),
    };
    read.unwrap_or_else(|found| {
        faults.extend(below(name, found));
        K::default()
    })
}
