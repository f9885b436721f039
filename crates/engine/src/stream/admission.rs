//! Publishers are let in by what their streams say.

use std::net::IpAddr;

use ocelli_ingest::push::{Admission, Admitted, OnSecond, Refusal};
use ocelli_model::StreamId;

use super::{SecondPublisher, Supervisor};

impl Admission for Supervisor {
    fn admit(&self, key: &str, secret: Option<&str>, peer: IpAddr) -> Result<Admitted, Refusal> {
        let stream: StreamId = key.parse().map_err(|_error| Refusal::UnknownKey)?;
        let publish = self.spec(&stream).ok().and_then(|spec| spec.publish).ok_or(Refusal::UnknownKey)?;
        if !publish.admits(secret, peer) {
            let by_secret = publish.secret.is_some() && (secret.is_some() || publish.networks.is_none());
            return Err(if by_secret { Refusal::WrongSecret } else { Refusal::WrongNetwork });
        }
        let on_second = match publish.second {
            SecondPublisher::Refuse => OnSecond::Refuse,
            SecondPublisher::TakeOver => OnSecond::TakeOver,
        };
        Ok(Admitted { stream, on_second })
    }
}
