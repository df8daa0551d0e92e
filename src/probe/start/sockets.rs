//! Who listens, by `/proc/net/tcp` and `tcp6` (proc(5)): to look does not disturb the program, as a
//! connection would.

use std::collections::BTreeMap;
use std::fs;

/// The ports on which something listens, with whether others can reach it: those that are bound to
/// loopback alone cannot be.
pub(super) fn listening() -> BTreeMap<u16, bool> {
    let mut found = BTreeMap::new();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for (port, reachable) in parse(&fs::read_to_string(file).unwrap_or_default()) {
            *found.entry(port).or_insert(false) |= reachable;
        }
    }
    found
}

fn parse(table: &str) -> Vec<(u16, bool)> {
    let entry = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (address, port) = fields.next()?.split_once(':')?;
        // LISTEN; the field after the remote address.
        (fields.nth(1)? == "0A").then_some(())?;
        let loopback = match address.len() {
            // Each group of four bytes is in the machine's order.
            8 => address.ends_with("7F"),
            _ => {
                address == "00000000000000000000000001000000"
                    || address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F")
            }
        };
        Some((u16::from_str_radix(port, 16).ok()?, !loopback))
    };
    table.lines().skip(1).filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_all() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0\n   1: 00000000:0050 00000000:0000 0A 0\n   2: 0100007F:0051 0100007F:0052 01 0\n";
        assert_eq!(parse(table), [(8080, false), (80, true)]);
        let table = "head\n 0: 00000000000000000000000001000000:1F91 0:0 0A\n 1: 00000000000000000000000000000000:1F92 0:0 0A\n";
        assert_eq!(parse(table), [(8081, false), (8082, true)]);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert_eq!(listening().get(&port), Some(&false));
    }
}
