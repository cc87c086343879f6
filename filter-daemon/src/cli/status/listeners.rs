//! The listeners' part of `status`, in lines: the Admin API and the proxy.

use crate::cli::answers::{AdminListener, ListenPlace, ProxyListener};

/// One line for each thing worth knowing about the Admin API.
pub(super) fn admin(admin: &AdminListener) -> Vec<String> {
    let mut lines: Vec<String> = admin.listen.iter().map(place).collect();
    if let Some(authority) = &admin.authority {
        lines.push(format!("clients have to trust {authority}"));
    }
    if let Some(ends) = &admin.ends {
        let file = admin.certificate.as_deref().unwrap_or("the certificate");
        lines.push(format!("{file} is good until {ends}"));
    }
    lines.extend(admin.trouble.iter().map(|trouble| format!("NOT as it should be: {trouble}")));
    lines
}

/// The same about the proxy.
pub(super) fn proxy(proxy: &ProxyListener) -> Vec<String> {
    let troubles = proxy.troubles.iter();
    let troubles = troubles.map(|of| format!("NOT as it should be: {}: {}", of.app, of.trouble));
    proxy.listen.iter().map(place).chain(troubles).collect()
}

fn place(place: &ListenPlace) -> String {
    match &place.detail {
        None => place.address.clone(),
        Some(detail) => format!("{} NOT yet: {detail}", place.address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_out() {
        let text = r#"{"listen":[
                {"address":"127.0.0.1:8443","state":"listening","detail":null},
                {"address":"[::1]:8443","state":"waiting","detail":"in use"}],
            "certificate":null,"authority":"/var/lib/filterd/ca.pem",
            "ends":"2026-03-31T00:00:00Z","trouble":"no room"}"#;
        let listener: AdminListener = serde_json::from_str(text).expect("valid");
        assert_eq!(
            admin(&listener),
            [
                "127.0.0.1:8443",
                "[::1]:8443 NOT yet: in use",
                "clients have to trust /var/lib/filterd/ca.pem",
                "the certificate is good until 2026-03-31T00:00:00Z",
                "NOT as it should be: no room",
            ]
        );
        let text = r#"{"listen":[{"address":"0.0.0.0:443","state":"waiting","detail":"in use"}],
            "troubles":[{"app":"web-xkqzm","trouble":"no key"}]}"#;
        let listener: ProxyListener = serde_json::from_str(text).expect("valid");
        assert_eq!(
            proxy(&listener),
            ["0.0.0.0:443 NOT yet: in use", "NOT as it should be: web-xkqzm: no key"]
        );
    }
}
