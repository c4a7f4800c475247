import AppSync
import Basics
import Glibc
import Models
import Transport
import WarehouseModels

/// A terminal without a store: it writes the requests that a real one would, on a connection of its own, and counts what
/// was acknowledged.
final class ProtocolClient: Sendable {
    let name: String
    private let http: HTTPClient
    private let headers: HTTPHeaders
    private let loop: WebSocketLoop
    private let address: URLParts
    private let key: String

    init(loop: WebSocketLoop, url: String, key: String, name: String) throws {
        self.name = name
        self.key = key
        self.loop = loop
        address = try URLParts(url)
        var options = HTTPClientOptions()
        options.maximumConnections = 1
        http = try HTTPClient(loop: loop, origin: address, options: options)
        headers = HTTPHeaders([
            ("content-type", "application/json"), (HeaderName.apiKey, key), (HeaderName.device, name),
            (HeaderName.person, name),
        ])
    }

    /// Sends a request of creates and checks that each of them is acknowledged.
    func push(_ body: [UInt8], of count: Int) async throws {
        let answer = try await http.send(
            HTTPRequest(path: address.path, headers: headers, body: body), timeoutMilliseconds: 180_000)
        let acknowledged = occurrences(of: "\"_version\":1", in: answer.body)
        guard answer.status == 200, acknowledged == count else {
            throw BenchFailure(
                "the hub acknowledged \(acknowledged) of \(count): \(answer.status) "
                    + printable(String(decoding: answer.body.prefix(300), as: UTF8.self)))
        }
    }

    /// Subscribes to new entries; `onData` gets each frame on the clients' thread.
    func subscribe(
        filter: JSONValue? = nil, _ onData: @escaping @Sendable ([UInt8]) -> Void
    ) async throws -> WebSocketClient {
        let authorization = RealtimeAuthorization(host: address.host, apiKey: key, person: name, device: name)
        var realtime = address
        realtime.scheme = "ws"
        realtime.path += "/realtime"
        var options = WebSocketClientOptions(realtime)
        options.subprotocols = [RealtimeAuthorization.subprotocolName, authorization.subprotocol]
        var writer = RequestWriter(schema: warehouse)
        let start = RealtimeFrame.start(
            id: "s", data: writer.subscription(.onCreate, CountEntry.schema, filter: filter),
            authorization: authorization
        ).bytes
        let (ready, signal) = AsyncStream<String?>.makeStream()
        let box = Locked<WebSocketClient?>(nil)
        let send: @Sendable ([UInt8]) -> Void = { bytes in box.current?.send(bytes) }
        // The lock is held until the client is in its box: its events wait for that.
        let client = box.withLock { box in
            let client = WebSocketClient(loop: loop, options: options) { event in
                switch event {
                case .opened: send(RealtimeFrame.connectionInit.bytes)
                case .text(let bytes):
                    if isData(bytes) { return onData(bytes) }
                    switch try? RealtimeFrame(parsing: bytes) {
                    case .connectionAck?: send(start)
                    case .startAck?: signal.yield(nil)
                    case .error?, .connectionError?: signal.yield(String(decoding: bytes, as: UTF8.self))
                    default: break
                    }
                case .closed(let code, let reason): signal.yield("closed with \(code) \(reason)")
                case .failed(let error): signal.yield("\(error)")
                }
            }
            box = client
            return client
        }
        for await problem in ready {
            if let problem { throw BenchFailure("the subscription failed: \(printable(problem))") }
            break
        }
        return client
    }
}

/// Whether a realtime frame carries a record; looks at its beginning only.
func isData(_ frame: [UInt8]) -> Bool { occurrences(of: "\"type\":\"data\"", in: frame.prefix(48)) > 0 }

/// How often a text stands in some bytes.
func occurrences(of text: StaticString, in bytes: some Collection<UInt8>) -> Int {
    bytes.withContiguousStorageIfAvailable { buffer in
        var count = 0
        var start = 0
        while let hit = find(text, in: UnsafeRawBufferPointer(buffer), from: start) {
            count += 1
            start = hit + text.utf8CodeUnitCount
        }
        return count
    } ?? 0
}

/// Where a text stands first, from an offset on.
private func find(_ text: StaticString, in buffer: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = buffer.baseAddress else { return nil }
    let length = text.utf8CodeUnitCount
    // Underscores and colons are rarer in these texts than quotes: the second byte is looked for.
    let second = Int32((text.utf8Start + 1).pointee)
    var offset = start + 1
    while offset - 1 + length <= buffer.count,
        let hit = memchr(base + offset, second, buffer.count - length - offset + 2)
    {
        let place = UnsafeRawPointer(hit) - base
        if memcmp(base + place - 1, text.utf8Start, length) == 0 { return place - 1 }
        offset = place + 1
    }
    return nil
}

/// The digits that follow a text in some bytes; nil where it is not there.
func number(after text: StaticString, in bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBytes { buffer -> Int? in
        let head = UnsafeRawBufferPointer(rebasing: buffer.prefix(300))
        guard let hit = find(text, in: head, from: 0) else { return nil }
        var index = hit + text.utf8CodeUnitCount
        var result = 0
        while index < buffer.count, (48...57).contains(buffer[index]) {
            result = result * 10 + Int(buffer[index] - 48)
            index += 1
        }
        return result
    }
}

/// Writes the requests of protocol clients.
struct EntryWriter {
    private var writer = RequestWriter(schema: warehouse)
    private let random = SystemRandom()

    /// One request that creates some records, each with a mutation id.
    mutating func body<M: Model>(_ records: [M]) throws -> [UInt8] {
        try writer.push(
            records.map { record in
                OutgoingMutation(
                    .create, M.schema, id: record.id, fieldsJSON: Self.fields(record), mutationID: random.uuid())
            }, withIDs: true)
    }

    private static func fields<M: Model>(_ record: M) -> String {
        var encoder = ValueEncoder(capacity: M.schema.fields.count)
        record.encode(into: &encoder)
        var object = JSONObject()
        for (field, value) in zip(M.schema.fields, encoder.values) where !field.isReadOnly && value != .null {
            object[field.name] = warehouse.wireValue(of: value, for: field)
        }
        return JSONValue.object(object).text
    }
}

/// Entries that protocol clients write one by one at a steady rate, until told to stop.
final class SteadyLoad: Sendable {
    private let isOver = Locked(false)
    private let task: Task<Int, any Error>

    /// Client `i` makes every `clients.count`-th entry; `sent` hears of each just before it leaves.
    init(
        _ clients: [ProtocolClient], perSecond: Int, entry: @escaping @Sendable (Int, Int) throws -> CountEntry,
        sent: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        let isOver = isOver
        task = Task.detached {
            var writer = EntryWriter()
            let start = ContinuousClock.now
            var number = 0
            try await withThrowingDiscardingTaskGroup { group in
                while !isOver.current {
                    try await Task.sleep(
                        until: start + .nanoseconds(Int64(number) * 1_000_000_000 / Int64(perSecond)),
                        clock: .continuous)
                    let index = number % clients.count
                    let body = try writer.body([entry(number, index)])
                    sent(number)
                    group.addTask { try await clients[index].push(body, of: 1) }
                    number += 1
                }
            }
            return number
        }
    }

    /// Stops, waits until each entry is acknowledged and gives their number.
    func stop() async throws -> Int {
        isOver.withLock { $0 = true }
        return try await task.value
    }
}
