//! Common code in Perl gets the very expression.

use super::super::instead_of_perl;

#[test]
fn common_code_gets_the_very_expression() {
    let cases = [
        ("$2 -> ( sub { $_[0] < 1024 } )", "$2 < 1024"),
        ("$1 $2 -> ( sub { return $_[0] eq 'root' && $_[1] > 5; } )", "$1 == 'root' && $2 > 5"),
        (
            "($1 $+{ip}) -> ( sub { lc($_[0]) ne \"a\" || $_[1] =~ /^10\\./ } )",
            "lower($1) != \"a\" || matches($+{ip}, '^10\\.')",
        ),
        ("SSH :> ( sub { $_[0]->{\"user\"} eq \"risto\" } )", "$:{SSH:user} == \"risto\""),
        (
            "IPTABLES :> ( sub { exists($_[0]->{\"SYN\"}) && !exists($_[0]->{\"ACK\"}) } )",
            "defined($:{IPTABLES:SYN}) && !defined($:{IPTABLES:ACK})",
        ),
        ("=( $1 > 10 and $1 < 20 )", "$1 > 10 and $1 < 20"),
        ("sub { $_[0] =~ /fail(ed|ure)/i }", "matches($0, '(?i)fail(ed|ure)')"),
        ("sub { return ($_[0] !~ m/a\\/b/); }", "not matches($0, 'a/b')"),
        ("%seconds -> ( sub { time() - $_[0] > 60 } )", "time() - %seconds > 60"),
        ("%seconds -> ( sub { time - $_[0] } )", "time() - %seconds"),
        ("sub { substr($_[0], 0, 5) eq 'Error' }", "substring($0, 0, 5) == 'Error'"),
    ];
    for (code, expression) in cases {
        let wanted = format!("without Perl it is expr({expression}), ");
        let hint = instead_of_perl(code);
        assert!(hint.starts_with(&wanted), "{code}: {hint}");
    }
}

#[test]
fn other_code_gets_what_it_is_for() {
    let cases = [
        ("sub { my $ref = JSON::decode_json($_[0]); return $ref->{a}; }", "json("),
        (
            "$1 $2 -> ( sub { $seen{$_[0]}->{$_[1]}++; return scalar keys %{$seen{$_[0]}}; } )",
            "distinct(",
        ),
        ("sub { return exists($names{$_[0]}); }", "lookup("),
        ("sub { my @t = localtime(); return $t[2] > 18 }", "hour()"),
        ("=($names{\"$2\"})", "lookup("),
        ("sub { system('reboot') }", "they calculate"),
        ("", "they calculate"),
    ];
    for (code, part) in cases {
        let hint = instead_of_perl(code);
        assert!(hint.starts_with("write an expression") && hint.contains(part), "{code}: {hint}");
    }
}
