import AppSync
import Basics
import Synchronization
import Transport

extension HTTPResponse {
    /// What a request gets that was not taken.
    static let overloaded = HTTPResponse(
        .error(503, "ThrottledException", "The hub is overloaded or stopping; try again."))

    /// An answer of GraphQL as HTTP; `now` is the hub's clock, by which terminals measure theirs.
    init(_ answer: HubAnswer, at now: DateTime? = nil) {
        var headers: HTTPHeaders = [
            "content-type": "application/json;charset=UTF-8", "x-amzn-requestid": RequestID.next(),
        ]
        if let now { headers.append(HeaderName.now, String(now.milliseconds)) }
        if let type = answer.errorType { headers.append("x-amzn-errortype", type) }
        if answer.status >= 500 { headers.append("retry-after", "2") }
        self.init(status: answer.status, headers: headers, body: answer.body)
    }
}

/// Names each answer in `x-amzn-requestid`, as AppSync does, so that a client's complaint finds its line in a log.
enum RequestID {
    private static let process = UInt64.random(in: .min ... .max)
    private static let counter = Atomic<UInt64>(0)

    /// A text in the form of a UUID: of this process, and of one request.
    static func next() -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var place = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    buffer[place] = UInt8(ascii: "-")
                    place += 1
                }
                let word = index < 16 ? process : number
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - index % 16 * 4)) & 15
                buffer[place] = digit < 10 ? 48 + digit : 87 + digit
                place += 1
            }
            return 36
        }
    }
}
