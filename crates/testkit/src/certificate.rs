//! A certificate that signed itself, by the `openssl` command.

use std::{fs, path::Path, process::Command};

/// Of `localhost` and 127.0.0.1, for two days.
#[derive(Debug)]
pub struct Certificate {
    /// In DER.
    pub certificate: Vec<u8>,
    /// PKCS #8 in DER.
    pub key: Vec<u8>,
}

impl Certificate {
    /// Makes one, and leaves it as `certificate.pem` in the folder; `None`, and a word, without the command.
    pub fn new(folder: &Path) -> Option<Self> {
        let openssl = |args: &str| {
            let command = Command::new("openssl").args(args.split(' ')).current_dir(folder).output();
            command.is_ok_and(|ran| ran.status.success())
        };
        let made = openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2 -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=CA:FALSE",
        ) && openssl("x509 -in certificate.pem -outform DER -out certificate.der")
            && openssl("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
        if !made {
            skipped();
            return None;
        }
        let bytes = |name: &str| fs::read(folder.join(name)).expect("openssl wrote it");
        Some(Self { certificate: bytes("certificate.der"), key: bytes("key.der") })
    }
}

#[expect(clippy::print_stderr, reason = "the runner shows what a test prints")]
fn skipped() {
    eprintln!("skipped: the openssl command cannot make a certificate; install openssl");
}
