/// The first line of a message.
enum HTTPStartLine {
    /// `POST /graphql?x=1 HTTP/1.1`
    static func request(_ line: ArraySlice<UInt8>) -> (method: String, target: String, minorVersion: Int)? {
        let parts = line.split(separator: 32, omittingEmptySubsequences: false)
        guard parts.count == 3, let minor = minorVersion(parts[2]), !parts[0].isEmpty, parts[0].allSatisfy(isTokenByte),
            let first = parts[1].first, first == 47 || first == 42 || isAbsolute(parts[1]),
            parts[1].allSatisfy({ $0 > 32 && $0 != 127 })
        else { return nil }
        return (String(decoding: parts[0], as: UTF8.self), originForm(parts[1]), minor)
    }

    /// `HTTP/1.1 200 OK`; the reason may be missing.
    static func response(_ line: ArraySlice<UInt8>) -> (status: Int, minorVersion: Int)? {
        let parts = line.split(separator: 32, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let minor = minorVersion(parts[0]), parts[1].count == 3,
            let status = Int(String(decoding: parts[1], as: UTF8.self)), status >= 100
        else { return nil }
        return (status, minor)
    }

    private static func minorVersion(_ text: ArraySlice<UInt8>) -> Int? {
        guard text.count == 8, text.starts(with: "HTTP/1.".utf8), let last = text.last, last >= 48, last <= 57 else {
            return nil
        }
        return Int(last) - 48
    }

    private static func isAbsolute(_ target: ArraySlice<UInt8>) -> Bool {
        target.starts(with: "http://".utf8) || target.starts(with: "https://".utf8)
    }

    /// A proxy's form `http://host/path` without the host.
    private static func originForm(_ target: ArraySlice<UInt8>) -> String {
        guard isAbsolute(target) else { return String(decoding: target, as: UTF8.self) }
        let afterScheme = target.drop { $0 != 47 }.dropFirst(2)
        let path = afterScheme.drop { $0 != 47 }
        return path.isEmpty ? "/" : String(decoding: path, as: UTF8.self)
    }

    /// The bytes of which methods and field names are made.
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        case 33, 35, 36, 37, 38, 39, 42, 43, 45, 46, 94, 95, 96, 124, 126: true
        default: false
        }
    }
}

/// Walks over the lines of a head.
struct HTTPHeadLines {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next line without its end; nil after the last.
    mutating func next() -> Range<Int>? {
        guard position < bytes.count else { return nil }
        let start = position
        var end = start
        while end < bytes.count, bytes[end] != 10 { end += 1 }
        position = end + 1
        return start..<(end > start && bytes[end - 1] == 13 ? end - 1 : end)
    }

    /// The header fields up to the empty line; nil when one is malformed.
    mutating func fields(atMost limit: Int) -> [HTTPHeaders.Field]? {
        var fields: [HTTPHeaders.Field] = []
        fields.reserveCapacity(12)
        while let line = next() {
            if line.isEmpty { return fields }
            var colon = line.lowerBound
            while colon < line.upperBound, HTTPStartLine.isTokenByte(bytes[colon]) { colon += 1 }
            // Folded lines begin with a space and so fail here, as RFC 9112, 5.2 wants.
            guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == 58, fields.count < limit else {
                return nil
            }
            var start = colon + 1
            var end = line.upperBound
            while start < end, bytes[start] == 32 || bytes[start] == 9 { start += 1 }
            while end > start, bytes[end - 1] == 32 || bytes[end - 1] == 9 { end -= 1 }
            for index in start..<end where bytes[index] == 0 || bytes[index] == 13 { return nil }
            fields.append(HTTPHeaders.Field(name: line.lowerBound..<colon, value: start..<end))
        }
        return fields
    }
}
