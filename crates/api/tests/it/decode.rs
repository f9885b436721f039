//! Contract 1 without uploads: names, fields and codes are exact.

use axum::http::Method;
use ocelli_api::Engine as _;
use ocelli_engine::StreamState;
use serde_json::json;

use crate::stand::{Stand, engine::id};

const BASE: &str = "/api/v1/video-pipeline";

async fn decode(stand: &Stand, form: &str) -> crate::stand::Answer {
    stand.form(&format!("{BASE}/decode/"), form).await
}

#[tokio::test]
async fn a_decode_from_beginning_to_end() {
    let stand = Stand::new().await;
    for slash in ["/", ""] {
        let name = if slash.is_empty() { "without" } else { "with" };
        let form = format!("camera_id={name}&url=rtsp%3A%2F%2F192.0.2.7%2Fone");
        let started = stand.form(&format!("{BASE}/decode{slash}"), &form).await.with_status(200).json();
        let folder = stand.folder.path().join("frames").join(name);
        let expected = json!({"message": "Decoding started", "camera_id": name,
            "output_folder": folder.to_str().unwrap(), "status": "started"});
        assert_eq!(started, expected);

        let path = format!("{BASE}/decode/status{slash}?camera_id={name}");
        let states = [
            (StreamState::Starting, "starting"),
            (StreamState::Running, "running"),
            (StreamState::Restarting, "restarting"),
            (StreamState::Completed, "completed"),
            (StreamState::Stopped, "stopped"),
            (StreamState::Error, "error"),
        ];
        for (state, word) in states {
            stand.engine.set(name, |status| {
                (status.state, status.frame_count, status.restart_count) = (state, 150, 2);
                status.last_error = (state == StreamState::Error).then(|| "refused".to_owned());
            });
            let last_error = if word == "error" { json!("refused") } else { json!(null) };
            let expected = json!({"camera_id": name, "status": word, "frame_count": 150,
                "last_error": last_error, "restart_count": 2});
            assert_eq!(stand.get(&path).await.with_status(200).json(), expected);
        }

        let newest = format!("{BASE}/latest-frame{slash}?camera_id={name}");
        stand.get(&newest).await.expect_detail(404, "no frame yet");
        stand.engine.show(name, b"\xff\xd8picture", 135_000);
        let picture = stand.get(&newest).await.with_status(200);
        assert_eq!(
            (picture.header("content-type"), picture.bytes.as_slice()),
            (Some("image/jpeg"), &b"\xff\xd8picture"[..])
        );
        assert_eq!(picture.header("x-media-time-pts"), Some("135000"));

        let stop = format!("{BASE}/decode/stop{slash}");
        let ended = stand.form(&stop, &format!("camera_id={name}")).await.with_status(200).json();
        assert_eq!(
            ended,
            json!({"message": "Decoding had ended already", "camera_id": name, "status": "error"})
        );
        stand.engine.set(name, |status| status.state = StreamState::Running);
        let ended = stand.form(&stop, &format!("camera_id={name}")).await.with_status(200).json();
        assert_eq!(ended, json!({"message": "Decoding stopped", "camera_id": name, "status": "stopped"}));
    }
}

#[tokio::test]
async fn what_a_form_asks_for_is_done() {
    let stand = Stand::new().await;
    let check = async |form: &str, fps: &str, hardware: Option<&str>| {
        decode(&stand, &format!("camera_id=cam1&url=/media/a.mp4&{form}")).await.with_status(200);
        let spec = stand.engine.spec(&id("cam1")).unwrap();
        assert_eq!((spec.fps.to_string().as_str(), spec.hardware.as_deref()), (fps, hardware), "{form}");
        assert_eq!(spec.frames.map(|frames| frames.quality), Some(77), "as configured");
        assert!(spec.models.is_empty() && !spec.source.untrusted);
        assert_eq!(spec.source.url.expose(), "file:///media/a.mp4");
        stand.engine.set("cam1", |status| status.state = StreamState::Completed);
    };
    check("", "1", None).await;
    check("fps=&force_format=&file=", "1", None).await;
    check("fps=0.5", "1/2", None).await;
    check("fps=2.0&force_format=cuda", "2", Some("cuda")).await;
    check("fps=0.3333333333333333&force_format=qsv", "333333/1000000", Some("qsv")).await;
    check("fps=1e1&force_format=vaapi", "10", Some("vaapi")).await;
    check("fps=30000%2F1001&force_format=none", "30000/1001", None).await;
    check("extra=ignored&camera=x", "1", None).await;
}

#[tokio::test]
async fn hardware_that_is_configured_is_used_unless_the_form_says_otherwise() {
    let mut stand = Stand::new().await;
    stand.state.settings.hardware = Some("vaapi".to_owned());
    stand.router = ocelli_api::router(stand.state.clone());
    for (form, expected) in
        [("", Some("vaapi")), ("&force_format=none", None), ("&force_format=qsv", Some("qsv"))]
    {
        decode(&stand, &format!("camera_id=cam1&url=/media/a.mp4{form}")).await.with_status(200);
        assert_eq!(stand.engine.spec(&id("cam1")).unwrap().hardware.as_deref(), expected);
        stand.engine.set("cam1", |status| status.state = StreamState::Stopped);
    }
}

#[tokio::test]
async fn a_camera_that_is_decoded_is_refused_and_goes_on() {
    let stand = Stand::new().await;
    decode(&stand, "camera_id=cam1&url=rtsp://192.0.2.7/one").await.with_status(200);
    for state in [StreamState::Starting, StreamState::Running, StreamState::Restarting] {
        stand.engine.set("cam1", |status| status.state = state);
        decode(&stand, "camera_id=cam1&url=/media/a.mp4").await.expect_detail(409, "stop it first");
        assert_eq!(stand.engine.spec(&id("cam1")).unwrap().source.url.expose(), "rtsp://192.0.2.7/one");
    }
}

#[tokio::test]
async fn forms_that_make_no_sense() {
    let stand = Stand::new().await;
    let url = "url=rtsp://192.0.2.7/one";
    let long = format!("camera_id={}&{url}", "x".repeat(65));
    let value = format!("camera_id=cam1&url=rtsp://192.0.2.7/{}", "x".repeat(5000));
    let longer = format!("camera_id=cam1&{url}&x={}", "x".repeat(2 << 20));
    let many = format!("camera_id=cam1&{url}{}", "&x=".repeat(40));
    let cases: [(&str, u16, &str); 28] = [
        (url, 422, "`camera_id` is missing"),
        (&format!("camera_id=&{url}"), 422, "camera_id"),
        (&format!("camera_id=..&{url}"), 422, "camera_id"),
        (&format!("camera_id=%2e%2e%2fetc&{url}"), 422, "camera_id"),
        (&format!("camera_id=a%00b&{url}"), 422, "camera_id"),
        (&format!("camera_id=-rf&{url}"), 422, "camera_id"),
        (&long, 422, "longer than 64"),
        ("camera_id=cam1", 422, "give a video"),
        ("camera_id=cam1&url=", 422, "give a video"),
        ("camera_id=cam1&file=abc", 422, "as a file"),
        (&format!("camera_id=cam1&{url}&{url}"), 422, "twice"),
        (&format!("camera_id=cam1&{url}&fps=0"), 422, "fps"),
        (&format!("camera_id=cam1&{url}&fps=all"), 422, "fps: give frames per second such as"),
        (&format!("camera_id=cam1&{url}&fps=-1"), 422, "fps"),
        (&format!("camera_id=cam1&{url}&fps=nan"), 422, "fps"),
        (&format!("camera_id=cam1&{url}&fps=inf"), 422, "fps"),
        (&format!("camera_id=cam1&{url}&fps=1e9"), 422, "fps"),
        (&format!("camera_id=cam1&{url}&fps=all"), 422, "fps"),
        (&format!("camera_id=cam1&{url}&force_format=auto"), 422, "force_format"),
        (&format!("camera_id=cam1&{url}&force_format=CUDA"), 422, "force_format"),
        ("camera_id=cam1&url=gopher://x/", 422, "url"),
        ("camera_id=cam1&url=exec:ls", 422, "url"),
        ("camera_id=cam1&url=file:///etc/passwd", 422, "outside"),
        ("camera_id=cam1&url=/media/../etc/passwd", 422, "url"),
        ("camera_id=cam1&url=http://169.254.169.254/latest/", 422, "link-local"),
        (&value, 422, "longer than"),
        (&longer, 413, "longer than"),
        (&many, 422, "more than 32"),
    ];
    for (form, status, words) in cases {
        let answer = decode(&stand, form).await;
        let shown = &form[..form.len().min(80)];
        assert!(answer.text().contains(words), "{shown}: {}", answer.text());
        answer.expect_detail(status, words);
    }
    for (kind, body) in
        [("application/json", "{}"), ("text/plain", "x"), ("", ""), ("multipart/form-data", "")]
    {
        let answer = stand.ask(Method::POST, &format!("{BASE}/decode/"), kind, body).await;
        answer.expect_detail(400, "multipart/form-data");
    }
    assert!(stand.engine.list().is_empty(), "nothing was begun");
    let stop = format!("{BASE}/decode/stop/");
    stand.form(&stop, "camera_id=none").await.expect_detail(404, "no camera none");
    stand.form(&stop, "").await.expect_detail(422, "`camera_id` is missing");
    for path in ["decode/status/", "latest-frame/"] {
        stand.get(&format!("{BASE}/{path}")).await.expect_detail(422, "`camera_id` is missing");
        stand.get(&format!("{BASE}/{path}?camera_id=none")).await.expect_detail(404, "no camera none");
        let status = stand.get(&format!("{BASE}/{path}?camera_id=..")).await.status;
        assert!([400, 422].contains(&status.as_u16()), "{path}: {status}");
    }
    stand.get(&format!("{BASE}/none/")).await.expect_detail(404, "");
    stand.get(&format!("{BASE}/decode/")).await.expect_detail(405, "");
}

#[tokio::test]
async fn the_service_tells_of_itself() {
    let stand = Stand::new().await;
    for slash in ["/", ""] {
        let health = stand.get(&format!("{BASE}/health{slash}")).await.with_status(200).json();
        assert_eq!(health, json!({"status": "healthy", "service": "video-pipeline"}));
        let hardware = stand.get(&format!("{BASE}/hw-accel-cap{slash}")).await.with_status(200).json();
        assert_eq!(hardware, json!({"message": {"available_hw_accelerations": ["vaapi"]}}));
    }
}
