use serde_json::{Value, json};

use super::disks::FileSystem;
use super::look::{Busy, Facts, Interface, Status, Usage};
use super::*;

fn status() -> Status {
    Status {
        system: Facts {
            name: Some("Debian GNU/Linux".to_owned()),
            version: Some("12".to_owned()),
            kernel: Some("6.1.0-18-amd64".to_owned()),
            full: None,
            architecture: "x86_64".to_owned(),
        },
        uptime: 1_036_800,
        booted: 1_763_000_000,
        processor: 0.123_456,
        cores: 2,
        load: Some([0.5, 0.25, 0.1]),
        memory: Usage { total: 4_000, used: 1_000 },
        swap: Usage::default(),
        disks: Some(vec![
            FileSystem {
                mount_point: "/".to_owned(),
                device: "/dev/sda1".to_owned(),
                kind: "ext4".to_owned(),
                usage: Usage { total: 300, used: 100 },
            },
            FileSystem {
                mount_point: "/srv/a\u{1b}[2J".to_owned(),
                device: "/dev/sdb1".to_owned(),
                kind: "xfs".to_owned(),
                usage: Usage { total: 100, used: 90 },
            },
        ]),
        interfaces: vec![Interface {
            name: "eth0".to_owned(),
            received: 7,
            sent: 8,
            address: String::new(),
        }],
        processes: vec![Busy {
            name: "a\nb".to_owned(),
            pid: 9,
            user: "root".to_owned(),
            processor: 1.5,
            memory: 64,
        }],
    }
}

fn fields(status: &Status) -> Value {
    let raw = record(status, Timestamp::from_seconds(1_764_000_000)).observed(NAME).raw;
    assert!(!raw.contains(&b'\n') && !raw.contains(&0x1b));
    serde_json::from_slice(&raw).unwrap()
}

#[test]
fn a_look_is_one_record_with_lists_beside_each_other() {
    let found = fields(&status());
    let expected = json!({
        "@timestamp": "2025-11-24T16:00:00Z",
        "message": "the host is up for 12 days, its processors 12 % busy, memory 25 % used, \
                    /srv/a\\u{1b}[2J 90 % full",
        "event.module": "system",
        "event.dataset": "system.status",
        "event.kind": "metric",
        "event.category": ["host"],
        "event.type": ["info"],
        "event.action": "host-status",
        "host.os.type": std::env::consts::OS,
        "host.os.name": "Debian GNU/Linux",
        "host.os.version": "12",
        "host.os.kernel": "6.1.0-18-amd64",
        "host.architecture": "x86_64",
        "host.boot_time": "2025-11-13T02:13:20Z",
        "host.uptime": 1_036_800,
        "host.cpu.usage": 0.1235,
        "system.cpu.cores": 2,
        "system.load.1": 0.5,
        "system.load.5": 0.25,
        "system.load.15": 0.1,
        "system.memory.total": 4_000,
        "system.memory.used.bytes": 1_000,
        "system.memory.used.pct": 0.25,
        "system.filesystem.mount_point": ["/", "/srv/a\u{1b}[2J"],
        "system.filesystem.device_name": ["/dev/sda1", "/dev/sdb1"],
        "system.filesystem.type": ["ext4", "xfs"],
        "system.filesystem.total": [300, 100],
        "system.filesystem.used.bytes": [100, 90],
        "system.filesystem.used.pct": [0.3333, 0.9],
        "system.network.name": ["eth0"],
        "system.network.in.bytes": [7],
        "system.network.out.bytes": [8],
        "system.network.address": [""],
        "system.process.name": ["a\nb"],
        "system.process.pid": [9],
        "system.process.user": ["root"],
        "system.process.cpu.pct": [1.5],
        "system.process.memory.bytes": [64],
    });
    assert_eq!(found, expected);
}

#[test]
fn what_cannot_be_told_is_left_out() {
    let found = fields(&Status { disks: None, load: None, booted: 0, ..status() });
    for name in ["system.filesystem.total", "system.load.1", "host.boot_time", "host.os.full"] {
        assert_eq!(found[name], Value::Null, "{name}");
    }
    let message = found["message"].as_str().unwrap();
    assert!(message.ends_with("memory 25 % used, a file system does not answer"), "{message}");
    let found = fields(&Status { disks: Some(Vec::new()), uptime: 90, ..status() });
    let message = found["message"].as_str().unwrap();
    assert!(message.starts_with("the host is up for 1 min, "), "{message}");
    assert!(message.ends_with("memory 25 % used"), "{message}");
}
