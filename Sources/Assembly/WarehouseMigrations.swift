import DataStore

/// How the warehouse's schema came to be what it is, for what a comparison cannot tell; a step is never taken out again.
package let warehouseMigrations = [
    // Costs were kept with three places before real cost tables had four.
    SchemaVersion(1, [.convert("ItemCost", "unitCost") { $0 }])
]
