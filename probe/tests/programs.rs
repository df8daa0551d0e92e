//! The programs as an image runs them: arguments, environment, exit status, what they say.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};

/// A server that gives this answer to whoever asks, and its port.
fn server(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

fn probe(port: u16, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slipway-probe"));
    let Output { status, stdout, .. } =
        command.args(args).env("TEST_PORT", port.to_string()).output().expect("it starts");
    (status.code(), String::from_utf8_lossy(&stdout).into_owned())
}

const WELL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}";
const ILL: &str = "HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nsick";

#[test]
fn status_and_content() {
    let (well, ill) = (server(WELL), server(ILL));
    let url = "http://127.0.0.1:${TEST_PORT:-1}/health";
    assert_eq!(probe(well, &["http", url]), (Some(0), "200 {\"status\":\"ok\"}\n".to_owned()));
    assert_eq!(probe(well, &["http", url, "--status", "200", "--contains", "ok"]).0, Some(0));
    for (port, args, said) in [
        (ill, vec!["http", url], "status 503 instead of 200-299: sick"),
        (well, vec!["http", url, "--status", "204,300-399"], "status 200 instead of 204,300-399"),
        (well, vec!["http", url, "--contains", "UP"], "status 200, but no `UP` in: {\"status\":\"ok\"}"),
    ] {
        let (code, out) = probe(port, &args);
        assert!(code == Some(1) && out.contains(said), "{args:?}: {out}");
    }
    assert_eq!(probe(ill, &["http", url, "--status", "500-599"]).0, Some(0));
}

#[test]
fn tcp_and_wrong_calls() {
    let port = server(WELL);
    assert_eq!(probe(port, &["tcp", "127.0.0.1:${TEST_PORT}"]), (Some(0), "open\n".to_owned()));
    assert_eq!(probe(1, &["tcp", "127.0.0.1:${TEST_PORT}", "--within", "2"]).0, Some(1));
    for args in [
        &["http"][..],
        &["udp", "x"],
        &["http", "x", "--status"],
        &["http", "x", "--huh", "y"],
        &["tcp", "x", "--within", "-1"],
    ] {
        assert_eq!(probe(port, args).0, Some(2), "{args:?}");
    }
}

#[test]
fn templates() {
    let folder = std::env::temp_dir().join(format!("slipway-template-{}", std::process::id()));
    let (from, to) = (folder.join("from"), folder.join("to"));
    for path in [&from, &to] {
        std::fs::create_dir_all(path).expect("a folder");
    }
    std::fs::write(from.join("site.conf.template"), "proxy_pass ${TEST_URL}; set $host ${uri};")
        .expect("a file");
    std::fs::write(from.join("other.txt"), "x").expect("a file");
    let result = to.join("site.conf");
    let run = |to: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slipway-template"));
        command
            .env("TEST_URL", "http://x:1/")
            .arg(&from)
            .arg(to)
            .arg("cat")
            .arg(&result)
            .output()
            .expect("it starts")
    };
    let ran = run(&to);
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "proxy_pass http://x:1/; set $host ${uri};");
    assert!(!to.join("other.txt").exists());
    let refused = run(&folder.join("absent"));
    assert!(refused.status.code() == Some(1) && refused.stdout.is_empty(), "the program is not started");
    std::fs::remove_dir_all(folder).expect("it was there");
}
