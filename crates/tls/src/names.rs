//! The names in the certificate that a peer showed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The most names that are taken of one certificate.
const MAX_NAMES: usize = 64;
/// The longest name (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 253;

/// Who a certificate was made for.
///
/// Names are in lower case. A wildcard is none: it says nothing of who the peer is (RFC 5425,
/// section 5.2, lets a receiver refuse them).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerNames {
    /// The host names of its subjectAltName extension.
    pub dns: Vec<String>,
    /// The addresses of its subjectAltName extension.
    pub ips: Vec<IpAddr>,
    /// The last common name of its subject; counts where there is no name in subjectAltName
    /// (RFC 6125, section 6.4.4).
    pub common_name: Option<String>,
}

impl PeerNames {
    /// Reads the names of a certificate; one that cannot be read has none.
    pub fn of(certificate: &CertificateDer<'_>) -> PeerNames {
        let mut names = PeerNames::default();
        let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return names };
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let mut is_named = false;
        for name in alternative.iter().flat_map(|names| &names.value.general_names).take(MAX_NAMES)
        {
            is_named |= matches!(
                name,
                GeneralName::DNSName(_) | GeneralName::IPAddress(_) | GeneralName::URI(_)
            );
            match name {
                GeneralName::DNSName(name) => names.dns.extend(cleaned(name)),
                GeneralName::IPAddress(bytes) => names.ips.extend(address(bytes)),
                _ => {}
            }
        }
        if !is_named {
            let common = certificate.subject().iter_common_name().last();
            names.common_name = common.and_then(|name| name.as_str().ok()).and_then(cleaned);
        }
        names
    }

    /// The one name that a peer is called by: the first host name, else address, else common name.
    pub fn first(&self) -> Option<String> {
        self.dns
            .first()
            .cloned()
            .or_else(|| self.ips.first().map(ToString::to_string))
            .or_else(|| self.common_name.clone())
    }

    /// Whether the certificate was made for this host name or address; upper and lower case are
    /// one.
    pub fn has(&self, name: &str) -> bool {
        if let Ok(address) = name.parse::<IpAddr>() {
            let address = address.to_canonical();
            if self.ips.iter().any(|known| known.to_canonical() == address) {
                return true;
            }
        }
        self.dns.iter().chain(&self.common_name).any(|known| known.eq_ignore_ascii_case(name))
    }
}

fn cleaned(name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches('.');
    let is_good = !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.contains('*')
        && !name.contains(char::is_control);
    is_good.then(|| name.to_ascii_lowercase())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}
