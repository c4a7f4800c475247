import AppSync
import Basics
import Transport

/// Takes requests and frames from the link's thread and hands them to the worker.
final class HubHandler: HTTPServerHandler {
    private let worker: HubWorker
    private let identity: HubIdentity
    private let enrolment: EnrolmentDesk
    private let schemas: SchemaDesk
    private let deliveries: DeliveryDesk
    private let tls: HubTLS?

    init(
        _ worker: HubWorker, _ identity: HubIdentity, _ enrolment: EnrolmentDesk, _ schemas: SchemaDesk,
        _ deliveries: DeliveryDesk, _ tls: HubTLS?
    ) {
        self.tls = tls
        self.schemas = schemas
        self.deliveries = deliveries
        self.worker = worker
        self.identity = identity
        self.enrolment = enrolment
    }

    func request(_ request: HTTPRequest, _ responder: HTTPResponder) {
        switch (request.method, request.path) {
        case ("POST", "/graphql"): graphQL(request, Self.body(ofPost: request), responder)
        case ("GET", "/graphql"): graphQL(request, Self.body(ofQuery: request), isReadOnly: true, responder)
        case ("POST", "/login"), ("POST", "/login/refresh"): identity.answer(request, responder)
        case ("GET", "/health"):
            let health = worker.health
            responder.respond(
                HTTPResponse(
                    status: health.status, headers: ["content-type": "application/json"], body: health.json.bytes))
        case ("GET", "/health/live"): worker.whenAlive { responder.respond(.text(200, "alive\n")) }
        case ("GET", "/metrics"): responder.respond(.text(200, worker.metrics + (tls?.metrics ?? "")))
        case ("GET", "/schema"), ("POST", "/schema"):
            let schemas = schemas
            identity.whenReady(Credentials(request.headers), []) { schemas.answer(request, responder) }
        case ("GET", "/deliveries"), ("POST", "/deliveries"):
            let deliveries = deliveries
            identity.whenReady(Credentials(request.headers), []) { deliveries.answer(request, responder) }
        case ("POST", "/enrol"): enrolment.answer(request, responder)
        case ("OPTIONS", let path) where CrossOrigin.paths.contains(path):
            responder.respond(CrossOrigin.preflight(request))
        case (_, "/graphql"), (_, "/health"), (_, "/health/live"), (_, "/metrics"), (_, "/enrol"), (_, "/login"),
            (_, "/login/refresh"), (_, "/schema"), (_, "/deliveries"):
            let answer = HubAnswer.error(405, ErrorType.malformedHTTPRequest, "Method not allowed.")
            responder.respond(HTTPResponse(answer, isForPages: CrossOrigin.paths.contains(request.path)))
        default:
            let answer = HubAnswer.error(404, ErrorType.malformedHTTPRequest, "There is nothing here.")
            responder.respond(HTTPResponse(answer, isForPages: false))
        }
    }

    private func graphQL(
        _ request: HTTPRequest, _ body: [UInt8], isReadOnly: Bool = false, _ responder: HTTPResponder
    ) {
        let mark = RequestMark(request.id, from: request.peerAddress)
        let credentials = Credentials(request.headers)
        let worker = worker
        identity.whenReady(credentials, body) {
            var asked = HubRequest(credentials, body: body, isReadOnly: isReadOnly)
            asked.mark = mark
            guard !worker.take(asked, responder) else { return }
            responder.respond(.overloaded)
            worker.meter.answered(mark, nil, status: 503)
        }
    }

    /// A POST's body. As `application/graphql` AppSync takes JSON all the same; others send the bare document.
    static func body(ofPost request: HTTPRequest) -> [UInt8] {
        guard let type = request.headers["content-type"],
            type.prefix(while: { $0 != ";" && $0 != " " }).lowercased() == "application/graphql",
            !request.body.isEmpty, !beginsAsObject(request.body),
            let text = String(validating: request.body, as: UTF8.self)
        else { return request.body }
        return JSONValue.object(["query": .string(text)]).bytes
    }

    /// Whether text begins as a JSON object. It is not parsed here: this is the thread of all sockets, and nobody has
    /// judged yet who sends it. A document may begin with a brace too, but never with a string or an end behind it.
    private static func beginsAsObject(_ text: [UInt8]) -> Bool {
        var first = text.lazy.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }.makeIterator()
        guard first.next() == UInt8(ascii: "{") else { return false }
        return first.next().map { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "}") } ?? false
    }

    /// A GET's query as the body that a POST would have.
    private static func body(ofQuery request: HTTPRequest) -> [UInt8] {
        func value(_ name: String) -> String? { request.queryValue(name, plusIsSpace: true) }
        guard let query = value("query") else { return [] }
        var object: JSONObject = ["query": .string(query)]
        if let name = value("operationName") { object["operationName"] = .string(name) }
        if let text = value("variables") {
            guard let variables = try? JSONValue(parsing: text) else { return Array("{".utf8) }
            object["variables"] = variables
        }
        return JSONValue.object(object).bytes
    }

    func opened(_ socket: WebSocketConnection, _ request: HTTPRequest) {
        let mark = RequestMark(request.id, from: request.peerAddress)
        let credentials = Self.credentials(request, socket.subprotocol)
        let bytes = request.headers.bytes.count + (request.query?.utf8.count ?? 0)
        if !worker.add(opened: socket, credentials, bytes: bytes, mark) { refuse(socket) }
    }

    func received(_ socket: WebSocketConnection, _ text: [UInt8]) {
        if !worker.add(message: text, from: socket) { refuse(socket) }
    }

    private func refuse(_ socket: WebSocketConnection) {
        socket.close(code: 1013, reason: "more waits than this hub takes; try again")
    }

    func closed(_ socket: WebSocketConnection, code: UInt16, reason: String) {
        worker.add(.closed(socket))
    }

    /// The three ways in which clients deliver their authorisation object.
    private static func credentials(_ request: HTTPRequest, _ subprotocol: String?) -> RealtimeCredentials {
        guard subprotocol != nil else { return .noProtocol }
        let offered = request.headers.all("sec-websocket-protocol")
            .flatMap { $0.split(separator: ",") }.map { item in String(item.drop { $0 == " " }).trimmingSpaces }
        if let text = request.queryValue("header"), !text.isEmpty {
            return RealtimeAuthorization(base64: text).map { .object($0) } ?? .malformed
        }
        if offered.contains(where: { $0.hasPrefix("header-") }) {
            return RealtimeAuthorization(subprotocols: offered).map { .object($0) } ?? .malformed
        }
        var fields = JSONObject()
        for name in [HeaderName.apiKey, HeaderName.authorization, HeaderName.person, HeaderName.device] {
            if let value = request.headers[name] { fields[name] = .string(value) }
        }
        return .object(RealtimeAuthorization(fields))
    }
}

extension HTTPServerOptions {
    /// The hub's subprotocols, and what connections and requests may cost.
    init(realtime limits: HubLimits, random: any RandomSource) {
        self.init()
        requestIDField = RequestID.field
        requestID = { RequestID.of($0, random) }
        // Whoever offers both is no client of AppSync's.
        subprotocols = [GraphQLTransportFrame.subprotocolName, RealtimeAuthorization.subprotocolName]
        slowCloseCodes = [GraphQLTransportFrame.subprotocolName: GraphQLTransportFrame.CloseCode.tryAgainLater]
        maximumMessageBytes = limits.frameBytes
        maximumConnections = limits.connections
        perAddress.connections = limits.connectionsPerAddress
        perAddress.handshakes = min(perAddress.handshakes, limits.connectionsPerAddress)
        maximumBodyBytes = limits.bodyBytes
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
