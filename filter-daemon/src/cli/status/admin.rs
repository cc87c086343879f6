//! The Admin API's own part of `status`, in lines.

use crate::cli::answers::AdminListener;

/// One line for each thing worth knowing.
pub(super) fn lines(admin: &AdminListener) -> Vec<String> {
    let place = |place: &crate::cli::answers::AdminPlace| match &place.detail {
        None => place.address.clone(),
        Some(detail) => format!("{} NOT yet: {detail}", place.address),
    };
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
        let admin: AdminListener = serde_json::from_str(text).expect("valid");
        assert_eq!(
            lines(&admin),
            [
                "127.0.0.1:8443",
                "[::1]:8443 NOT yet: in use",
                "clients have to trust /var/lib/filterd/ca.pem",
                "the certificate is good until 2026-03-31T00:00:00Z",
                "NOT as it should be: no room",
            ]
        );
    }
}
