/// A request: what the client makes and what the server's handler gets.
public struct HTTPRequest: Sendable {
    /// `GET`, `POST` and so on.
    public var method: String
    /// The path with its escapes, beginning with `/`.
    public var path: String
    /// What follows the `?`, nil without one.
    public var query: String?
    /// The header fields; the client adds `Host` and `Content-Length` itself.
    public var headers: HTTPHeaders
    /// The body, whole.
    public var body: [UInt8]
    /// On the server: the address that it came from, without the port.
    public internal(set) var peerAddress = ""
    /// On the server: what ``HTTPServerOptions/requestID`` names it; empty where nothing does.
    public internal(set) var id = ""

    /// Makes a request.
    public init(
        method: String = "POST", path: String, query: String? = nil, headers: HTTPHeaders = [:], body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The first value of a query parameter, unescaped. A `+` stays a `+`, since base64 comes unescaped in practice.
    ///
    /// - Parameter plusIsSpace: whether the query was written as forms are, with `+` for a blank.
    public func queryValue(_ name: String, plusIsSpace: Bool = false) -> String? {
        guard let query else { return nil }
        func decode(_ text: some Sequence<UInt8>) -> String {
            guard plusIsSpace else { return PercentEncoding.decode(text) }
            return PercentEncoding.decode(text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 })
        }
        for item in query.utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true) {
            let parts = item.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            if decode(parts[0]) == name {
                return parts.count > 1 ? decode(parts[1]) : ""
            }
        }
        return nil
    }
}

/// An answer: what the server's handler makes and what the client gets.
public struct HTTPResponse: Sendable {
    /// 200 and so on.
    public var status: Int
    /// The header fields; the server adds `Content-Length` itself.
    public var headers: HTTPHeaders
    /// The body, whole.
    public var body: [UInt8]

    /// Makes an answer.
    public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer of plain text.
    public static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array(text.utf8))
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Status \(status)"
        }
    }
}

/// Percent escapes of query strings.
public enum PercentEncoding {
    /// Replaces `%41` by the byte it stands for; a broken escape stays as it is.
    public static func decode(_ text: some Sequence<UInt8>) -> String {
        let bytes = Array(text)
        guard bytes.contains(37) else { return String(decoding: bytes, as: UTF8.self) }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 37, index + 2 < bytes.count, let high = hexDigit(bytes[index + 1]),
                let low = hexDigit(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Escapes everything but letters, digits and `- . _ ~`.
    public static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: result.append(byte)
            default: result += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
}
