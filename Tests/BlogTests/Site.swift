import Basics
import DataStore
import Hub
import Models
import SyncEngine
import System

/// A hub on loopback and the devices of a few people, all gone at the end of a test.
struct Site {
    let directory: TempDirectory
    let hub: HubServer

    init() async throws {
        directory = try TempDirectory("blog")
        let options = HubOptions(
            dataDirectory: directory.file("hub"), schema: modelSchema, keys: try APIKeys(["blog-key"]),
            time: SystemTimeSource())
        hub = try await HubServer.start(options)
    }

    func device(
        _ name: String, scope: SyncScope = .all, configure: (inout StoreOptions) -> Void = { _ in }
    ) async throws -> Device {
        let driver = try AppSyncDriver(url: hub.url, key: "blog-key", device: name, scope: scope)
        var options = StoreOptions(time: SystemTimeSource())
        configure(&options)
        let store = try await DataStore(
            schema: modelSchema, at: .directory(directory.file(name)), options: options, driver: driver)
        return Device(store: store, driver: driver)
    }
}

struct Device {
    let store: DataStore
    let driver: AppSyncDriver

    /// Waits until the records of a model are as wanted.
    func wait<M: Model>(
        _ type: M.Type, where condition: Predicate<M> = .all, until isRight: ([M]) -> Bool
    ) async throws {
        for try await snapshot in store.observeQuery(type, where: condition) where isRight(Array(snapshot.items)) {
            return
        }
    }

    func sent() async throws { try await store.flush(timeout: 120_000) }
}

extension Post {
    /// A tag's place at a post: named by both, so that tagging twice is one tag.
    func tagged(_ tag: Tag) -> PostTags { PostTags(id: "\(id)-\(tag.id)", postId: id, tagId: tag.id) }
}
