//! RTSP inside TLS, and with media in datagrams.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, UdpSocket},
    process::Command,
    sync::Arc,
    thread::{Builder, JoinHandle},
};

use ocelli_ingest::{
    Fault, Source as _, SourceError, Transport,
    pull::{RtspError, RtspOptions},
};
use ocelli_testkit::{Certificate, Clip, Container, RtspServer};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::{
    fake::{H264, Packer, Script, Then, sdp},
    look::{drain, impatient, numbers, open, options},
};

fn raw() -> Vec<u8> {
    let clip = Clip::new(192, 128).frames(20).container(Container::Raw);
    Packer::new(1000).file(&clip.params("bframes=0:keyint=10:slices=1:aud=0").cached()).out
}

/// Takes one encrypted connection and passes it on to a port of this machine; whether it came as far as that.
fn front(certificate: Certificate, to: u16) -> (u16, JoinHandle<bool>) {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certificate.key));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let chain = vec![CertificateDer::from(certificate.certificate)];
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let pass_on = move || {
        let client = listener.accept().unwrap().0;
        client.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let Ok(mut tls) = acceptor.accept(TcpStream::from_std(client).unwrap()).await else {
                return false;
            };
            let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            // Either side may leave without a word.
            tokio::io::copy_bidirectional(&mut tls, &mut server).await.ok();
            true
        })
    };
    (port, Builder::new().spawn(pass_on).unwrap())
}

#[test]
fn a_server_that_does_not_prove_who_it_is_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let Some(certificate) = Certificate::new(folder.path()) else { return };
    let (port, front) = front(certificate, 9);
    let error = open(&format!("rtsps://canary:canary@127.0.0.1:{port}/x"), options()).unwrap_err();
    assert!(matches!(error, SourceError::Rtsp(RtspError::Untrusted(_))), "{error:?}");
    assert_eq!(error.fault(), Fault::Caller);
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert!(!front.join().unwrap());
    // Nobody who could prove anything.
    let plain = Script::of(raw(), Then::Hold).serve();
    let error = open(&format!("rtsps://127.0.0.1:{}/x", plain.port), impatient()).unwrap_err();
    assert_eq!(error.fault(), Fault::Network, "{error:?}");
}

/// The certificates of a machine are read once, from where the environment says: another process has others.
const FOLDER: &str = "OCELLI_TEST_CERTIFICATE";

#[test]
fn every_picture_arrives_through_tls() {
    let Ok(folder) = env::var(FOLDER) else {
        let folder = tempfile::tempdir().unwrap();
        if Certificate::new(folder.path()).is_none() {
            return;
        }
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--exact", "relayed::every_picture_arrives_through_tls"]).env(FOLDER, folder.path());
        let ran = again.env("SSL_CERT_FILE", folder.path().join("certificate.pem")).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
        return;
    };
    let bytes = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let server = Script::of(raw(), Then::Close).serve();
        let certificate = Certificate { certificate: bytes("certificate.der"), key: bytes("key.der") };
        let (port, front) = front(certificate, server.port);
        let mut options = options();
        options.policy = options.policy.with(ocelli_net::networks("::1").unwrap());
        let mut source = open(&format!("rtsps://fly:word@{host}:{port}/x"), options).unwrap();
        let (units, error) = drain(&mut source);
        assert!(matches!(error, Some(SourceError::Rtsp(RtspError::Broken(_)))), "{error:?}");
        let seen: Vec<_> = numbers(&units).iter().map(|(_, number, _)| number.unwrap()).collect();
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
        drop(source);
        assert!(front.join().unwrap());
        let requests = server.requests();
        assert!(requests[0].starts_with("DESCRIBE rtsp://"), "{requests:?}");
    }
}

fn datagrams() -> RtspOptions {
    RtspOptions { transport: Transport::Udp, ..impatient() }
}

#[test]
fn every_picture_arrives_in_datagrams() {
    let clip = Clip::new(192, 128).rate(25, 1).params("bframes=2:keyint=15").cached();
    let Some(mut server) = RtspServer::start(&[&clip]) else { return };
    let mut source = open(&server.url(0), RtspOptions { transport: Transport::Udp, ..options() }).unwrap();
    let (units, error) = drain(&mut source);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(source.damage(), None);
    let mut seen = numbers(&units);
    seen.sort_unstable();
    let expected: Vec<_> =
        (0..60).map(|n| (source.first_pts() + i64::from(n) * 3600, Some(n), (192, 128))).collect();
    assert_eq!(seen, expected);
    assert!(source.anchor().is_some(), "sender reports come too");
    drop(source);
    server.wait_for_teardown();
}

#[test]
fn encrypted_datagrams_are_not_to_be_had() {
    let error = open("rtsps://127.0.0.1/x", datagrams()).unwrap_err();
    assert!(matches!(error, SourceError::Rtsp(RtspError::Url(_))), "{error:?}");
}

/// Answers one client, names the ports `ports` of the server, and sends packets to the client's; `others` are sent by
/// somebody else.
fn serve(
    transport: &'static str,
    packets: Vec<Vec<u8>>,
    others: Vec<Vec<u8>>,
) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let talk = move || {
        let mut client = listener.accept().unwrap().0;
        let mut lines = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
        let (media, stranger) =
            (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.2:0").unwrap());
        let own = media.local_addr().unwrap().port();
        let (mut requests, mut to) = (Vec::new(), 0);
        loop {
            let request: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let Some(first) = request.first() else { return requests };
            let cseq = request.iter().find(|line| line.starts_with("CSeq")).unwrap();
            let (mut fields, mut body) = ("Session: 1\r\n".to_owned(), String::new());
            if first.starts_with("DESCRIBE") {
                (fields, body) = ("Content-Type: application/sdp\r\n".to_owned(), sdp(H264));
            } else if first.starts_with("SETUP") {
                let asked = request.iter().find_map(|line| line.strip_prefix("Transport: ")).unwrap();
                to = asked.split(['=', '-']).nth(1).unwrap().parse().unwrap();
                let answer = transport.replace("ASKED", asked).replace("OWN", &own.to_string());
                fields = format!("Session: 1\r\nTransport: {answer}\r\n");
            }
            // Media before the word that it comes: datagrams overtake what goes by TCP.
            if first.starts_with("PLAY") {
                for packet in &others {
                    stranger.send_to(packet, ("127.0.0.1", to)).unwrap();
                }
                for packet in &packets {
                    media.send_to(packet, ("127.0.0.1", to)).unwrap();
                }
            }
            let length = body.len();
            let head = format!("RTSP/1.0 200 OK\r\n{cseq}\r\n{fields}Content-Length: {length}\r\n\r\n");
            client.write_all((head + &body).as_bytes()).unwrap();
            requests.push(request.join("\n"));
        }
    };
    (port, Builder::new().spawn(talk).unwrap())
}

/// The packets that are interleaved in `bytes`, without their frames.
fn packets(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut packets, mut rest) = (Vec::new(), bytes);
    while let [b'$', _, high, low, tail @ ..] = rest {
        let (packet, tail) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        packets.push(packet.to_vec());
        rest = tail;
    }
    packets
}

const AGREED: &str = "ASKED;server_port=OWN-9";

#[test]
fn datagrams_that_were_mixed_up_are_put_in_order() {
    let mut mixed = packets(&raw());
    for pair in mixed[2..].chunks_exact_mut(4) {
        pair.swap(0, 3);
    }
    mixed.push(vec![0x80; 5]);
    mixed.push(Vec::new());
    // What others send is not taken for the server's.
    let noise = (0..50).map(|n| [&[0x80, 96, 0, n], &[7; 30][..]].concat()).collect();
    let (port, server) = serve(AGREED, mixed, noise);
    let mut source = open(&format!("rtsp://127.0.0.1:{port}/x"), datagrams()).unwrap();
    let (units, error) = drain(&mut source);
    // The last picture ends where the next would begin, which never came.
    let seen: Vec<_> = numbers(&units).iter().map(|(_, number, _)| number.unwrap()).collect();
    assert!(
        (19..=20).contains(&seen.len()) && seen == (0..seen.len() as u32).collect::<Vec<_>>(),
        "{seen:?}"
    );
    assert!(matches!(error, Some(SourceError::Rtsp(RtspError::Stalled(_)))), "{error:?}");
    assert_eq!(source.damage(), None);
    drop(source);
    let requests = server.join().unwrap();
    let setup = requests.iter().find(|request| request.starts_with("SETUP")).unwrap();
    assert!(setup.contains("Transport: RTP/AVP;unicast;client_port="), "{setup}");
    assert!(requests.last().unwrap().starts_with("TEARDOWN"), "{requests:?}");
}

#[test]
fn datagrams_that_are_lost_mark_the_next_picture() {
    let mut fewer = packets(&raw());
    let middle = fewer.len() / 2;
    fewer.remove(middle);
    let (port, _server) = serve(AGREED, fewer, Vec::new());
    let mut source = open(&format!("rtsp://127.0.0.1:{port}/x"), datagrams()).unwrap();
    let (units, _) = drain(&mut source);
    assert!(units.len() >= 17 && units.iter().any(|unit| unit.damaged), "{}", units.len());
    assert_eq!(source.damage(), Some("the server or the network lost packets"));
}

#[test]
fn servers_that_answer_otherwise_are_told_apart() {
    let cases = [
        // Media would come from elsewhere, and is not asked for there.
        ("ASKED;server_port=OWN-9;source=169.254.169.254", 19),
        // Without ports nobody can be greeted; what comes is taken.
        ("ASKED", 19),
        // Interleaved after all, on channels that nothing comes on.
        ("RTP/AVP/TCP;unicast;interleaved=0-1", 0),
    ];
    for (transport, least) in cases {
        let (port, _server) = serve(transport, packets(&raw()), Vec::new());
        let (units, error) = match open(&format!("rtsp://127.0.0.1:{port}/x"), datagrams()) {
            Ok(mut source) => drain(&mut source),
            Err(error) => (Vec::new(), Some(error)),
        };
        assert!(units.len() >= least, "{transport}: {}", units.len());
        assert!(matches!(error, Some(SourceError::Rtsp(RtspError::Stalled(_)))), "{transport}: {error:?}");
    }
    let refusing = Script::refusing("461 Unsupported Transport", "").serve();
    let error = open(&refusing.url(), datagrams()).unwrap_err();
    assert!(matches!(error, SourceError::Rtsp(RtspError::Status(461))), "{error:?}");
}
