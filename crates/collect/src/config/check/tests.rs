use super::*;

fn read(text: &str) -> Result<Input, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

const LEAST: &str = "name = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\n";

#[test]
fn an_input_says_what_it_is() {
    let input = read(
        "name = 'home'\ntype = 'syslog'\nudp = ['0.0.0.0:51444', '[::1]:514']\ntcp = '0.0.0.0:51444'\n\
         unix = '/run/x/log'\nunix_mode = '0660'\nmax_message = '8KiB'\nidle_timeout = '5m'\n\
         time_zone = 'Europe/Berlin'\ntags = ['syslog']\nfields = { type = 'syslog' }\n\
         [[sender]]\nfrom = '192.0.2.7'\nname = 'gate'\n",
    )
    .unwrap();
    assert_eq!(input.places.len(), 4);
    assert_eq!((input.max_message, input.unix_mode), (8192, 0o660));
    assert_eq!(input.idle_timeout.unwrap().as_secs(), 300);
    assert_eq!(input.fields, [("type".to_owned(), "syslog".to_owned())]);
    let input = read(LEAST).unwrap();
    assert_eq!((input.max_message, input.max_connections), (65_536, 20_000));
    assert_eq!(input.receive_buffer, 8 << 20);
}

#[test]
fn mistakes_are_named() {
    for (more, part) in [
        ("tcq = 'x'", "unknown field `tcq`"),
        ("udp = 'localhost'", "`udp` holds `localhost`, expected an address and a port"),
        ("udp = 514", "expected a text or a list of texts"),
        ("tls = '127.0.0.1:0'", "need `certificate` and `key`"),
        ("certificate = '/x'", "do nothing without `tls`"),
        ("client_ca = '/x'", "`client_ca` does nothing without `tls`"),
        ("unix = 'log'", "expected an absolute path"),
        ("unix_mode = '0666'", "`unix_mode` does nothing without `unix`"),
        ("receive_buffer = '1MiB'", "`receive_buffer` does nothing without `udp`"),
        ("max_message = '100'", "from 480B to 1MiB"),
        ("max_connections = 0", "from 1 to 1000000"),
        ("max_connections_per_address = 0", "from 1 to 20000"),
        ("max_connections = 9\nmax_connections_per_address = 10", "from 1 to 9"),
        ("idle_timeout = '5 minutes'", "such as 10m"),
        ("time_zone = 'Europe/Bremen'", "which is not known"),
        ("relp = ['127.0.0.1:99', '127.0.0.1:99']", "127.0.0.1:99 is there twice"),
        ("[[sender]]\nname = 'x'", "needs `from` or `certificate`"),
        ("[[sender]]\nfrom = '192.0.2.0/33'\nname = 'x'", "`192.0.2.0/33`, expected a network"),
        ("[[sender]]\nfrom = '192.0.2.0/24'", "needs `hosts` or `name`"),
        ("[[sender]]\ncertificate = 'x'\nname = 'x'", "does nothing without `client_ca`"),
    ] {
        let error = read(&format!("{LEAST}{more}\n")).unwrap_err();
        assert!(error.contains(part), "{more}: {error}");
    }
    let error = read("name = 'home'\ntype = 'syslog'\n").unwrap_err();
    assert!(error.contains("it listens nowhere"), "{error}");
    let error = read("name = 'my home'\ntype = 'syslog'\ntcp = '[::1]:1'\n").unwrap_err();
    assert!(error.contains("cannot use input `my home`: `name` must be"), "{error}");
}

#[test]
fn one_port_serves_datagrams_and_streams_but_not_two_inputs() {
    let both = read(&format!("{LEAST}udp = '127.0.0.1:514'\nrelp = '127.0.0.1:514'\n")).unwrap();
    let other =
        read("name = 'o'\ntype = 'syslog'\ntls = '127.0.0.1:514'\ncertificate='/c'\nkey='/k'")
            .unwrap();
    assert_eq!(both.clash(&other).as_deref(), Some("127.0.0.1:514"));
    assert_eq!(read(LEAST).unwrap().clash(&read(LEAST).unwrap()), None, "port 0 is any port");
}
