import AppSync
import Basics
import GraphQL
import Models
import SQLite

/// The synchronous heart of a hub: GraphQL requests in, answers and committed changes out, over one SQLite connection.
///
/// It is confined to one executor, as its connection is. All mutations given to one ``execute(_:)`` share one commit; the
/// answers are true only once it returns.
public final class HubCore {
    /// How long tombstones and mutation ids are kept, in milliseconds of hub time: 30 days, as Amplify has it.
    public static let horizon: Int64 = 30 * 86_400_000
    /// How long rows as they were are kept for retries; a later retry is answered with the row as it is.
    static let imageHorizon: Int64 = 3 * 86_400_000
    /// Mutations that one request may hold.
    public static let batchLimit = 100

    let engine: HubEngine
    let connection: Connection
    let state: HubState
    let tables: [BaseTable]
    let reader: QueryRunner
    let time: any TimeSource
    let random: any RandomSource
    let log: Log
    /// `,"extensions":{…}}`: how every answer of GraphQL ends.
    let extensions: [UInt8]
    /// Counts, for `/metrics`.
    public internal(set) var statistics = HubStatistics()

    private var rights: [Caller: CallerRights] = [:]
    /// The changes of the transaction that is open.
    var pending: [CommittedChange] = []
    /// Bytes of the records that conflicts of the running request have answered.
    var conflictBytes = 0
    /// The stamp of the transaction that is open.
    var stamp: Int64 = 0

    /// What is called for the models' mutations.
    let resolvers: Resolvers
    /// Whether any function is configured; most hubs have none, and lose no time with it.
    let asksFunctions: Bool
    let codec: ItemCodec
    /// Requests that wait, and what for.
    var room = WaitingRoom()
    var suspended: [UInt64: MutationRun] = [:]
    /// Requests that may go on.
    var ready: Set<UInt64> = []
    var lastTicket: UInt64 = 0
    /// Mutation ids of steps that began to wait in the transaction that is open.
    var asking: Set<WaitingRoom.MutationKey> = []
    var deliveries = Deliveries()
    /// Of lines about functions that did not decide, by function.
    var functionLines: [String: LogAllowance] = [:]
    /// Rows of the transaction that is open.
    var deliveriesWritten = 0

    /// Opens the hub's tables on a connection, making or migrating them.
    ///
    /// - Throws: ``HubError`` where the schema cannot be served; `SQLiteError` or a migration's error where the database
    ///   cannot be used, saying why in one line.
    public convenience init(
        schema: Schema, connection: Connection, keys: APIKeys, time: any TimeSource, random: any RandomSource,
        log: Log = .none, resolvers: ResolverOptions = ResolverOptions(), limits: HubLimits = HubLimits()
    ) throws {
        try self.init(
            engine: try HubEngine(schema, keys: keys, limits: limits), schema: schema, connection: connection,
            time: time, random: random, log: log, resolvers: resolvers)
    }

    /// Opens the tables for an engine that others may use too; `schema` is the one it was made of.
    init(
        engine: HubEngine, schema: Schema, connection: Connection, time: any TimeSource, random: any RandomSource,
        log: Log = .none, resolvers: ResolverOptions = ResolverOptions()
    ) throws {
        self.engine = engine
        self.connection = connection
        self.time = time
        self.random = random
        self.log = log
        engine.accessLog.attach(log, time)
        self.resolvers = try Resolvers(resolvers, engine.schema)
        asksFunctions = self.resolvers.areAny
        codec = ItemCodec(schema: schema)
        tables = engine.schema.models.map { BaseTable($0) }
        try Self.migrate(schema, tables, connection, log)
        try CopyMark.beginLife(connection, time, log)
        state = try HubState(connection, time)
        reader = QueryRunner(
            engine, connection, tables, tokenKey: state.tokenKey, epoch: state.epoch, lives: state.lives,
            time: time)
        extensions = reader.extensions
        try openDeliveries(retriesParked: resolvers.retriesParked)
    }

    /// Takes the place of a core whose schema gives way to another, over the same connection: clock, deliveries and
    /// numbers go on. What waits for functions does not; it is for the old core to dismiss.
    ///
    /// - Throws: ``HubError`` or a migration's error; the old core then goes on, and the database is as it was.
    init(succeeding old: HubCore, _ swap: SchemaSwap, resolvers: ResolverOptions) throws {
        engine = swap.engine
        connection = old.connection
        time = old.time
        random = old.random
        log = old.log
        self.resolvers = try Resolvers(resolvers, swap.engine.schema)
        asksFunctions = self.resolvers.areAny
        codec = ItemCodec(schema: swap.schema)
        tables = swap.engine.schema.models.map { BaseTable($0) }
        try Self.migrate(swap, from: old.tables, to: tables, connection, log)
        state = old.state
        try state.reread(connection)
        reader = QueryRunner(
            engine, connection, tables, tokenKey: state.tokenKey, epoch: state.epoch, lives: state.lives, time: time)
        extensions = reader.extensions
        statistics = old.statistics
        room = WaitingRoom(after: old.room)
        lastTicket = old.lastTicket
        deliveries = old.deliveries
    }

    /// How long tombstones and mutation ids are kept, in milliseconds of hub time; ``horizon`` where nobody sets it.
    public var retention: Int64 {
        get { state.horizon }
        set { state.horizon = newValue }
    }

    /// Names this database's history; devices that knew another must fetch everything anew.
    public var epoch: String { state.epoch }

    /// Answers requests; mutations are durable when it returns.
    ///
    /// Queries see what was committed before. Changes come in commit order, for ``SubscriptionRegistry``. For a hub
    /// without functions: where some are configured, a request may wait, which is ``perform(_:answered:)``'s to do.
    public func execute(_ requests: [HubRequest]) -> (answers: [HubAnswer], events: [CommittedChange]) {
        let outcome = perform(requests)
        let waits = HubAnswer.error(503, ErrorType.internalFailure, "The request waits for a function.")
        return (outcome.answers.map { $0 ?? waits }, outcome.events)
    }

    func runnable(_ request: HubRequest) -> Result<RunnableRequest, RequestFailure> {
        let id = request.mark?.id
        switch engine.caller(
            request.credentials, now: time.now().milliseconds, request: id, from: request.mark?.address)
        {
        case .failure(let refusal): return .failure(.refused(refusal))
        case .success(let caller): return engine.runnable(request.body, rights(of: caller), id: id)
        }
    }

    /// A caller's rights, worked out once.
    func rights(of caller: Caller) -> CallerRights {
        if let known = rights[caller] { return known }
        if rights.count > 4096 { rights.removeAll() }
        let made = CallerRights(caller, engine.schema.models)
        rights[caller] = made
        return made
    }
}

/// What a hub has done since it started.
public struct HubStatistics: Sendable, Hashable {
    /// GraphQL requests answered.
    public var requests: UInt64 = 0
    /// Mutations applied.
    public var mutations: UInt64 = 0
    /// Mutations refused.
    public var refused: UInt64 = 0
    /// Retried mutations answered without being applied again.
    public var replayed: UInt64 = 0
    /// What functions were given after mutations.
    public var deliveries: UInt64 = 0
    /// What waits to be given to functions.
    public var deliveriesWaiting = 0
    /// What was given up because a function would not take it.
    public var deliveriesParked = 0
    /// Commits.
    public var commits: UInt64 = 0
    /// Commits that failed.
    public var failures: UInt64 = 0
    /// Whether the last commit failed for want of disk space.
    public var isDiskFull = false
    /// Whether the last commit failed for the disk's or the file's sake, for want of space or otherwise.
    public var isUnwritable = false
}

extension RequestFailure {
    static var subscriptionOverHTTP: RequestFailure {
        .invalid([
            ResponseError(
                "Subscriptions are supported through the realtime channel only.",
                errorType: ErrorType.unsupportedOperation)
        ])
    }
}
