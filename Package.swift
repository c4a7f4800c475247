// swift-tools-version: 6.1
import PackageDescription

// No package dependencies: only system C libraries (ncursesw, sqlite3, libwebsockets, OpenSSL).
// Arrows point down only; ARCHITECTURE.md says what each module is.

let strict: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]
/// Without the regular-expression engine, which weighs more than a megabyte: Basics searches texts.
let shipped: [SwiftSetting] =
    strict + [.unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"])]

/// The ground that the simulation's thousand seeds spend their time on is optimised in debug builds too. More of it would
/// cost the build more than the tests gain: the hub alone takes two minutes to optimise.
let simulated: Set = ["Basics", "Models", "AppSync", "SQLite", "ModelTables"]

/// What waits for people, disks and networks is built small: the installed program is weighed, and caches are.
let patient: Set = [
    "Crypto", "Screens", "Terminal", "Counting", "CountingApp", "InventoryControl", "GraphQL", "Assembly", "Demo",
    "bincount",
]

func optimised(_ name: String) -> [SwiftSetting] {
    if simulated.contains(name) { return [.unsafeFlags(["-O"], .when(configuration: .debug))] }
    return patient.contains(name) ? [.unsafeFlags(["-Osize"], .when(configuration: .release))] : []
}

func module(_ name: String, _ dependencies: [Target.Dependency], plugins: [Target.PluginUsage]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: shipped + optimised(name), plugins: plugins)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: shipped + optimised(name))
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], plugins: [Target.PluginUsage]? = nil, exclude: [String] = []
) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict, plugins: plugins)
}

let package = Package(
    name: "bincount",
    products: [
        .executable(name: "bincount", targets: ["bincount"]),
        .executable(name: "bench", targets: ["bench"]),
        // For packages of others: the store, what synchronises it, a hub for their tests, and what makes their models.
        .library(name: "DataStore", targets: ["DataStore", "Models", "System", "Basics", "SQLite"]),
        .library(name: "SyncEngine", targets: ["SyncEngine"]),
        .library(name: "Hub", targets: ["Hub"]),
        .plugin(name: "GenerateModels", targets: ["GenerateModels"]),
    ],
    targets: [
        // System libraries, each behind one C target.
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CWebSockets", providers: [.apt(["libwebsockets-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .target(name: "CTerminal", linkerSettings: [.linkedLibrary("ncursesw")]),
        .target(name: "CSystem"),

        // Pure ground.
        module("Basics", []),
        module("Models", ["Basics"]),
        module("GraphQL", ["Models", "Basics"]),
        module("ModelGenerator", ["GraphQL", "Models", "Basics"]),
        .plugin(
            name: "GenerateModels", capability: .buildTool(), dependencies: ["modelgen"], path: "Sources/GenerateModels"
        ),
        module("WarehouseModels", ["Models", "Basics"], plugins: ["GenerateModels"]),
        module("Counting", ["WarehouseModels", "Models", "Basics"]),
        module("Screens", ["Basics"]),
        module("AppSync", ["Models", "Basics"]),

        .plugin(
            name: "EmbedScreens", capability: .buildTool(), dependencies: ["screenembed"], path: "Sources/EmbedScreens"),

        // Edges.
        module("System", ["CSystem", "Basics"]),
        module("Terminal", ["CTerminal", "Screens", "System", "Basics"]),
        module("Transport", ["CWebSockets", "COpenSSL", "Crypto", "System", "Basics"]),
        module("SQLite", ["CSQLite", "Models", "Basics"]),
        module("Crypto", ["COpenSSL", "Basics"]),

        // The library and the server.
        module("ModelTables", ["SQLite", "Models", "Basics"]),
        module("DataStore", ["ModelTables", "SQLite", "Models", "System", "Basics"]),
        module(
            "SyncEngine",
            ["DataStore", "ModelTables", "AppSync", "Transport", "Crypto", "Models", "System", "Basics"]),
        module(
            "Hub",
            ["ModelTables", "SQLite", "AppSync", "GraphQL", "Transport", "Crypto", "Models", "System", "Basics"]),

        // The product.
        module(
            "CountingApp",
            [
                "DataStore", "Counting", "WarehouseModels", "Screens", "Terminal", "Crypto", "Models", "System",
                "Basics",
            ],
            plugins: ["EmbedScreens"]),
        module(
            "InventoryControl",
            ["DataStore", "Counting", "WarehouseModels", "Crypto", "Models", "System", "Basics"]),
        module(
            "Assembly",
            [
                "CountingApp", "InventoryControl", "Hub", "SyncEngine", "DataStore", "Counting", "WarehouseModels",
                "AppSync", "Transport", "Crypto", "Models", "System", "Basics",
            ]),
        module(
            "Demo",
            [
                "Assembly", "CountingApp", "InventoryControl", "Hub", "SyncEngine", "DataStore", "Counting",
                "WarehouseModels",
                "Screens", "Terminal", "Transport", "Crypto", "Models", "GraphQL", "System", "Basics",
            ]),
        program(
            "bincount",
            [
                "Demo", "Assembly", "CountingApp", "InventoryControl", "Hub", "SyncEngine", "DataStore", "Counting",
                "WarehouseModels", "Screens", "Terminal", "Transport", "Crypto", "Models", "GraphQL", "AppSync",
                "SQLite", "System", "Basics",
            ]),
        program("screenembed", []),
        program("modelgen", ["ModelGenerator", "GraphQL", "Models", "Basics"]),
        program(
            "bench",
            [
                "CSQLite", "Assembly", "CountingApp", "InventoryControl", "Hub", "SyncEngine", "DataStore",
                "ModelTables", "SQLite", "Counting",
                "WarehouseModels", "Screens", "Terminal", "Transport", "Crypto", "Models", "GraphQL", "AppSync",
                "System", "Basics",
            ]),

        // Tests, one target per module or kind.
        .target(
            name: "SampleModels", dependencies: ["Models", "Basics"], path: "Tests/SampleModels", swiftSettings: strict,
            plugins: ["GenerateModels"]),
        .target(
            name: "StoreWorkload", dependencies: ["DataStore", "SQLite", "Models", "System", "Basics"],
            path: "Tests/StoreWorkload", swiftSettings: strict),
        .executableTarget(
            name: "storevictim", dependencies: ["StoreWorkload"], path: "Tests/StoreVictim", swiftSettings: strict),
        .target(
            name: "NamedTests", dependencies: ["System", "Basics"], path: "Tests/NamedTests", swiftSettings: strict),
        tests("BasicsTests", ["Basics"]),
        tests("ModelsTests", ["SampleModels", "WarehouseModels", "Models", "Basics"]),
        tests(
            "GraphQLTests", ["GraphQL", "ModelGenerator", "SampleModels", "WarehouseModels", "Models", "Basics"],
            exclude: ["Corpus", "Golden"]),
        tests("CountingTests", ["Counting", "WarehouseModels", "Models", "Basics"]),
        tests(
            "ScreensTests", ["Screens", "Terminal", "CTerminal", "Basics"],
            exclude: ["Drawn", "Snapshots", "make-width-table.py"]),
        tests("SystemTests", ["System", "Crypto", "Basics"]),
        tests(
            "TransportTests", ["Transport", "COpenSSL", "Crypto", "System", "Basics"], exclude: ["Corpus"]),
        tests(
            "StoreTests",
            [
                "NamedTests", "SampleModels", "DataStore", "ModelTables", "SQLite", "WarehouseModels", "Models",
                "System", "Basics",
            ],
            exclude: ["BEHAVIOURS.md", "Fixtures"]),
        // As a program of somebody else's sees the library: only what is public.
        .testTarget(
            name: "BlogTests", dependencies: ["Hub", "SyncEngine", "DataStore", "Models", "System", "Basics"],
            packageAccess: false, swiftSettings: strict, plugins: ["GenerateModels"]),
        tests("SyncTests", ["SyncEngine", "DataStore", "AppSync", "GraphQL", "WarehouseModels", "Models", "Basics"]),
        tests(
            "HubTests",
            [
                "NamedTests", "Hub", "AppSync", "GraphQL", "ModelTables", "SQLite", "Transport", "Crypto", "COpenSSL",
                "WarehouseModels", "Models", "System", "Basics",
            ], exclude: ["CHECKLIST.md", "Corpus"]),
        tests(
            "SimulationTests",
            [
                "Hub", "SyncEngine", "DataStore", "AppSync", "GraphQL", "SQLite", "Counting", "WarehouseModels",
                "Models",
                "Basics",
            ]),
        tests(
            "ControlTests",
            ["InventoryControl", "DataStore", "Counting", "WarehouseModels", "Crypto", "Models", "System", "Basics"]),
        tests(
            "AppTests",
            [
                "CountingApp", "InventoryControl", "DataStore", "Counting", "WarehouseModels", "Screens", "Terminal",
                "Crypto", "Models", "System", "Basics",
            ], exclude: ["Scripts", "SupervisorScripts"]),
        tests(
            "LinkTests",
            [
                "Hub", "SyncEngine", "DataStore", "AppSync", "GraphQL", "Transport", "WarehouseModels", "Models",
                "System", "Basics",
            ]),
        tests(
            "RealTests",
            [
                "StoreWorkload", "storevictim", "SyncEngine", "DataStore", "SQLite", "WarehouseModels", "Transport",
                "Crypto", "Models", "System", "Basics",
            ], exclude: ["faults.c", "powercut.c"]),
        tests(
            "FloorTests",
            [
                "Demo", "Assembly", "CountingApp", "InventoryControl", "Hub", "SyncEngine", "DataStore", "Counting",
                "WarehouseModels", "Screens", "Transport", "Crypto", "Models", "GraphQL", "SQLite", "System", "Basics",
            ], exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
