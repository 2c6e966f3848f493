//! The address clients reach us by.

use axum::http::{HeaderMap, header};

use crate::ServeConfig;

/// Scheme, host and path prefix without a closing slash: `https://datos.example/tesela`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The configured address, else the one the request was sent to (`X-Forwarded-Proto`, `-Host` and `-Prefix`
    /// before `Host`). Headers that do not look like a host are passed over.
    pub fn of(config: &ServeConfig, headers: &HeaderMap) -> Self {
        if let Some(configured) = &config.base_url {
            return Self(configured.trim_end_matches('/').to_owned());
        }
        // A chain of proxies writes a list; the first is the one the client spoke to.
        let first = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.split(',').next()?.trim())
        };
        let host = first("x-forwarded-host")
            .filter(|host| is_host(host))
            .or_else(|| first(header::HOST.as_str()).filter(|host| is_host(host)))
            .unwrap_or("localhost");
        let scheme = first("x-forwarded-proto").filter(|s| matches!(*s, "http" | "https")).unwrap_or("http");
        let prefix = first("x-forwarded-prefix").filter(|p| is_path(p)).unwrap_or_default();
        Self(format!("{scheme}://{host}{}", prefix.trim_end_matches('/')))
    }

    /// An address as given.
    pub fn new(address: &str) -> Self {
        Self(address.trim_end_matches('/').to_owned())
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !text.is_empty() && text.len() <= 255 && text.bytes().all(allowed)
}

fn is_path(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'/');
    text.starts_with('/') && text.len() <= 255 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> String {
        let headers = pairs.iter().map(|(k, v)| ((*k).parse().unwrap(), (*v).parse().unwrap())).collect();
        BaseUrl::of(&ServeConfig::default(), &headers).to_string()
    }

    #[test]
    fn proxies_are_believed_and_nonsense_is_not() {
        assert_eq!(of(&[]), "http://localhost");
        assert_eq!(of(&[("host", "127.0.0.1:8080")]), "http://127.0.0.1:8080");
        assert_eq!(
            of(&[
                ("host", "inner:80"),
                ("x-forwarded-host", "datos.example, proxy2"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-prefix", "/cubo/")
            ]),
            "https://datos.example/cubo"
        );
        assert_eq!(of(&[("host", "a\"><script>"), ("x-forwarded-proto", "javascript")]), "http://localhost");
    }

    #[test]
    fn the_configured_address_wins() {
        let config =
            ServeConfig { base_url: Some("https://datos.example/".into()), ..ServeConfig::default() };
        assert_eq!(BaseUrl::of(&config, &HeaderMap::new()).as_str(), "https://datos.example");
    }
}
