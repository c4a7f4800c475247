import AppSync
import Basics
import SyncEngine

@testable import Hub

/// How bad the network is: chances in a thousand.
struct SimWeather {
    var requestLoss = 0
    var answerLoss = 0
    var duplicates = 0
    var maxDelay = 40
    /// Now and then a message takes this long.
    var straggler = 0
    static let stragglerDelay = 15_000

    static let calm = SimWeather()

    init() {}

    init(_ world: SimWorld) {
        requestLoss = world.pick([0, 20, 100])
        answerLoss = world.pick([0, 20, 150])
        duplicates = world.pick([0, 20, 100])
        maxDelay = world.pick([3, 40, 400])
        straggler = world.pick([0, 10, 50])
    }

    func delay(_ world: SimWorld) -> Int {
        world.chance(straggler) ? world.below(Self.stragglerDelay) : 1 + world.below(maxDelay)
    }
}

/// The way between one device and the hub. HTTP exchanges are lost, delayed, doubled and overtake each other; a
/// socket's frames keep their order and end anywhere.
final class SimLink {
    let world: SimWorld
    let hub: SimHub
    var weather: SimWeather
    var isUp = true
    private var open: [SimSocket] = []

    init(_ world: SimWorld, _ hub: SimHub, _ weather: SimWeather) {
        self.world = world
        self.hub = hub
        self.weather = weather
    }

    enum Outcome {
        case answer(HTTPAnswer)
        case failure(String)
    }

    /// Sends a request; `completion` is called any number of times, as a hostile network would.
    func send(_ request: HubRequest, _ completion: @escaping (Outcome) -> Void) {
        guard isUp, hub.isUp else {
            world.after(world.pick([1, 200, 5_000])) { completion(.failure("cannot connect")) }
            return
        }
        let copies = world.chance(weather.duplicates) ? 2 : 1
        for copy in 0..<copies {
            if world.chance(weather.requestLoss), copy == 0 {
                fail(completion)
                continue
            }
            world.after(weather.delay(world)) { [self] in
                guard isUp, hub.isUp else { return fail(completion) }
                let life = hub.life
                hub.receive(request) { [self] answer in
                    if world.chance(weather.answerLoss) { return fail(completion) }
                    world.after(weather.delay(world)) { [self] in
                        // A connection does not outlive its hub.
                        guard isUp, hub.life == life else { return fail(completion) }
                        completion(.answer(HTTPAnswer(status: answer.status, body: answer.body)))
                    }
                }
            }
        }
    }

    /// Some losses are noticed, of others nothing is ever heard.
    private func fail(_ completion: @escaping (Outcome) -> Void) {
        if world.chance(500) { world.after(world.below(3_000)) { completion(.failure("connection lost")) } }
    }

    func connect(_ authorization: RealtimeAuthorization, _ onEvent: @escaping (SimSocket.Event) -> Void) -> SimSocket {
        let socket = SimSocket(self, onEvent)
        guard isUp, hub.isUp else {
            world.after(world.pick([1, 300, 5_000])) { socket.endDown("cannot connect") }
            return socket
        }
        open.append(socket)
        world.after(weather.delay(world)) { [self] in
            guard isUp, hub.isUp, !socket.isCut else { return socket.endDown("cannot connect") }
            hub.open(socket, authorization)
            socket.opened()
        }
        return socket
    }

    /// Cuts every socket of this device; what is on its way is lost. Each side notices sooner, later, or (the device, by
    /// the missing signs of life) by itself.
    func cut() {
        for socket in open { socket.cut(isNoticed: world.chance(600)) }
        open.removeAll()
    }

    func forget(_ socket: SimSocket) { open.removeAll { $0 === socket } }
}

/// One WebSocket.
final class SimSocket {
    enum Event {
        case opened
        case text([UInt8])
        case closed(String)
    }

    // Its device's, which lives as long as the simulation does.
    private unowned let link: SimLink
    private let onEvent: (Event) -> Void
    var hubID: UInt64?
    private(set) var isCut = false
    private var hasEnded = false
    private var upAt: Int64 = 0
    private var downAt: Int64 = 0

    init(_ link: SimLink, _ onEvent: @escaping (Event) -> Void) {
        self.link = link
        self.onEvent = onEvent
    }

    private var world: SimWorld { link.world }

    func opened() {
        down { [self] in onEvent(.opened) }
    }

    func sendUp(_ frame: [UInt8]) {
        upAt = max(upAt, world.now + Int64(link.weather.delay(world)))
        world.at(upAt) { [self] in
            if !isCut { link.hub.receive(frame, on: self) }
        }
    }

    func sendDown(_ frame: [UInt8]) {
        down { [self] in onEvent(.text(frame)) }
    }

    /// The hub closed it: what was sent before still arrives.
    func endDown(_ reason: String) {
        down { [self] in end(reason) }
    }

    /// The device closed it, or died.
    func endUp() {
        guard !hasEnded else { return }
        hasEnded = true
        link.forget(self)
        upAt = max(upAt, world.now + Int64(link.weather.delay(world)))
        world.at(upAt) { [self] in link.hub.closed(self) }
    }

    func hubDied() {
        isCut = true
        link.forget(self)
        if world.chance(700) { world.after(world.below(2_000)) { [self] in end("the hub is gone") } }
    }

    func cut(isNoticed: Bool) {
        isCut = true
        if isNoticed { world.after(world.below(3_000)) { [self] in end("cut") } }
        world.after(world.below(60_000)) { [self] in link.hub.closed(self) }
    }

    private func end(_ reason: String) {
        guard !hasEnded else { return }
        hasEnded = true
        link.forget(self)
        onEvent(.closed(reason))
    }

    private func down(_ body: @escaping () -> Void) {
        downAt = max(downAt, world.now + Int64(link.weather.delay(world)))
        world.at(downAt) { [self] in
            if !isCut, !hasEnded { body() }
        }
    }
}
