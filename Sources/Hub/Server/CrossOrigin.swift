import AppSync
import Transport

/// What lets pages in a browser use the hub's API (CORS), as AppSync lets them.
///
/// Any page may ask, since nothing that a browser adds by itself opens anything: keys and tokens are in header fields that
/// the page must know.
enum CrossOrigin {
    /// The paths that pages may use.
    static let paths: Set<String> = ["/graphql", "/login", "/login/refresh"]

    /// What pages may read of an answer's header fields.
    private static let exposed = "x-amzn-requestid,x-amzn-errortype,retry-after,\(HeaderName.now)"
    /// What they may send, where the browser does not say what they want to.
    private static let known = [
        HeaderName.authorization, "content-type", HeaderName.apiKey, HeaderName.amazonDate, "x-amz-security-token",
        "x-amz-user-agent", HeaderName.person, HeaderName.device,
    ].joined(separator: ",")

    /// Adds to an answer that any page may read it.
    static func open(_ headers: inout HTTPHeaders) {
        headers.append("access-control-allow-origin", "*")
        headers.append("access-control-expose-headers", exposed)
    }

    /// Answers the question that a browser asks before it lets a page send its request.
    static func preflight(_ request: HTTPRequest) -> HTTPResponse {
        let wanted = request.headers["access-control-request-headers"].flatMap { isList($0) ? $0 : nil }
        var headers: HTTPHeaders = [
            "access-control-allow-methods": request.path == "/graphql" ? "GET,POST,OPTIONS" : "POST,OPTIONS",
            "access-control-allow-headers": wanted ?? known, "access-control-max-age": "86400",
        ]
        open(&headers)
        return HTTPResponse(status: 200, headers: headers, body: [])
    }

    /// Whether a text names header fields and nothing else.
    private static func isList(_ text: String) -> Bool {
        (1...2048).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ","),
                    UInt8(ascii: " "):
                    true
                default: false
                }
            }
    }
}
