import AppSync
import Basics
import Transport

extension HubAnswer {
    /// What a request gets that was not taken.
    static let overloaded = HubAnswer.error(
        503, "ThrottledException", "The hub is overloaded or stopping; try again.")
}

extension HTTPResponse {
    /// What a request gets that was not taken.
    static let overloaded = HTTPResponse(HubAnswer.overloaded)

    /// An answer of GraphQL as HTTP; `now` is the hub's clock, by which terminals measure theirs.
    ///
    /// - Parameter isForPages: whether a page in a browser may read it.
    init(_ answer: HubAnswer, at now: DateTime? = nil, isForPages: Bool = true) {
        var headers: HTTPHeaders = ["content-type": "application/json;charset=UTF-8"]
        if let now { headers.append(HeaderName.now, String(now.milliseconds)) }
        if let type = answer.errorType { headers.append("x-amzn-errortype", type) }
        if answer.status >= 500 { headers.append("retry-after", "2") }
        if isForPages { CrossOrigin.open(&headers) }
        self.init(status: answer.status, headers: headers, body: answer.body)
    }
}
