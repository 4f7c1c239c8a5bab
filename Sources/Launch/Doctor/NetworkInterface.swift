import Glibc

/// An IPv4 address of a network interface that is up, without the loopback.
package struct NetworkInterface: Codable, Equatable, Sendable {
  package var name: String
  /// The address, first byte highest.
  package var address: UInt32
  /// The bits of the address that name its network.
  package var prefix: Int

  package init(name: String, address: UInt32, prefix: Int) {
    self.name = name
    self.address = address
    self.prefix = prefix
  }

  /// Reads `text`, such as 10.0.0.7/24; nil for anything else.
  package init?(_ name: String, _ text: String) {
    let parts = text.split(separator: "/")
    guard parts.count == 2, let prefix = Int(parts[1]), 0...32 ~= prefix else { return nil }
    let bytes = parts[0].split(separator: ".").compactMap { UInt8($0) }
    guard bytes.count == 4 else { return nil }
    self.init(
      name: name, address: bytes.reduce(0) { $0 << 8 | UInt32($1) }, prefix: prefix)
  }

  /// The address as text, such as 10.0.0.7.
  package var addressText: String { Self.text(address) }

  /// The range of its network, such as 10.0.0.0/24, as `--network` takes it.
  package var network: String {
    let mask = prefix == 0 ? 0 : UInt32.max << UInt32(32 - prefix)
    return "\(Self.text(address & mask))/\(prefix)"
  }

  /// True when the address is in `range`, such as 10.0.0.0/16.
  func isWithin(_ range: String) -> Bool {
    guard let range = NetworkInterface("", range) else { return false }
    var own = self
    own.prefix = range.prefix
    return own.network == range.network
  }

  private static func text(_ address: UInt32) -> String {
    [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
  }

  /// The interfaces of this host that are up.
  package static func ofThisHost() -> [NetworkInterface] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    var found: [NetworkInterface] = []
    for entry in sequence(first: first, next: { $0?.pointee.ifa_next }) {
      guard let entry = entry?.pointee, let address = ipv4(entry.ifa_addr),
        let mask = ipv4(entry.ifa_netmask),
        entry.ifa_flags & UInt32(IFF_UP) != 0,
        entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0
      else { continue }
      found.append(
        NetworkInterface(
          name: String(cString: entry.ifa_name), address: address,
          prefix: mask.nonzeroBitCount))
    }
    return found
  }

  private static func ipv4(_ address: UnsafeMutablePointer<sockaddr>?) -> UInt32? {
    guard let address, Int32(address.pointee.sa_family) == AF_INET else { return nil }
    return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
      UInt32(bigEndian: $0.pointee.sin_addr.s_addr)
    }
  }
}
