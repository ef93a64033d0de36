//! The burger stand: the page "Concurrency and async / await", as it would be written here.
//!
//! ```text
//!   @app.get('/')                                      .get("/", read_results)
//!   async def read_results():                          async fn read_results(..)
//!       burgers = await get_burgers(2)                     get_burgers(2, ..).await
//!       return burgers
//! ```
//!
//! The page counts seven things that a program waits for. `get_burgers` does five of them, one
//! after the other, and the connection around it the other two: data from the client and data to
//! the client. After each one it is noted down what it was; that is for those who watch.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use reactor::fs;
use serde_json::{Value, json};

use crate::app::{Answer, App};
use crate::http::client::{self, Url};
use crate::http::{Amount, Problem, Request, Response, Wait};
use crate::store::{INSERT_ORDER, Order, SELECT_BURGERS, SELECT_ORDERS, Store};

const MENU: &str = "Classic\nDouble\nCheese\nBacon\nVeggie\nFish\n";
const RECIPE: &str = "bun, patty, sauce\n";

/// The longest name a customer may have, in bytes.
const MAX_NAME: usize = 100;

/// The path operations, as on the page.
pub(crate) fn app(stand: Stand) -> App<Stand> {
    App::new(stand)
        .get("/", read_results)
        .get("/burgers/{n}", read_burgers)
        .get("/orders", list_orders)
        .post("/orders", place_order)
        .get("/loop", loop_page)
}

async fn read_results(stand: Rc<Stand>, request: Request) -> Answer {
    let burgers = get_burgers(2, "guest", &stand, &request).await?;
    Ok(Response::json(200, &burgers))
}

async fn read_burgers(stand: Rc<Stand>, request: Request) -> Answer {
    let n = request.param("n")?;
    let burgers = get_burgers(n, "guest", &stand, &request).await?;
    Ok(Response::json(200, &burgers))
}

async fn list_orders(stand: Rc<Stand>, request: Request) -> Answer {
    let orders = stand.store.orders().await?;
    request.note(Wait::DatabaseQuery, Amount::Rows(orders.len()), SELECT_ORDERS);
    let orders: Vec<Value> = orders.iter().map(Order::to_json).collect();
    Ok(Response::json(200, &json!({ "orders": orders })))
}

async fn place_order(stand: Rc<Stand>, request: Request) -> Answer {
    let order = request.json()?;
    let (n, customer) = understand(&order)?;
    let burgers = get_burgers(n, customer, &stand, &request).await?;
    Ok(Response::json(201, &burgers))
}

/// The page that shows the loop on which all this runs is at another door: it is served by another
/// thread.
async fn loop_page(stand: Rc<Stand>, _: Request) -> Answer {
    let nobody = || Problem::new(404, "nobody watches: run `demo serve` without --no-watch");
    let url = stand.loop_page.as_deref().ok_or_else(nobody)?;
    Ok(Response::json(307, &json!({ "see": url })).header("Location", url))
}

/// An order is such as `{"burgers": 2, "customer": "Ann"}`.
fn understand(order: &Value) -> Result<(u32, &str), Problem> {
    let n = order["burgers"].as_u64().and_then(|n| u32::try_from(n).ok());
    let n = n.ok_or_else(|| Problem::new(400, "\"burgers\" is how many you want"))?;
    let customer = order["customer"].as_str().filter(|name| (1..=MAX_NAME).contains(&name.len()));
    let customer = customer.ok_or_else(|| Problem::new(400, "\"customer\" is your name"))?;
    Ok((n, customer))
}

/// Five waits. Nothing else is done between them, and while they last the thread serves others.
async fn get_burgers(
    n: u32,
    customer: &str,
    stand: &Stand,
    request: &Request,
) -> Result<Value, Problem> {
    stand.has(n)?;
    let recipe = read_recipe(stand, request).await?;
    let toppings = ask_the_kitchen(n, stand, request).await?;
    let burgers = look_up_burgers(n, stand, request).await?;
    let order = insert_order(customer, &burgers, stand, request).await?;
    let result = json!({
        "order": order, "customer": customer,
        "burgers": burgers, "recipe": recipe, "toppings": toppings,
    });
    write_receipt(order, &result, stand, request).await?;
    Ok(result)
}

async fn read_recipe(stand: &Stand, request: &Request) -> Result<String, Problem> {
    let recipe = fs::read_to_string(stand.folder.join("recipe.txt")).await;
    let recipe = recipe.map_err(Problem::ours("recipe.txt cannot be read"))?;
    request.note(Wait::FileRead, Amount::Bytes(recipe.len()), "recipe.txt");
    Ok(recipe.trim().to_owned())
}

async fn ask_the_kitchen(n: u32, stand: &Stand, request: &Request) -> Result<Value, Problem> {
    let Stand { kitchen, patience, .. } = stand;
    let trouble = |why| Problem::new(502, format!("the kitchen at {kitchen}: {why}"));
    let path = format!("/toppings/{n}");
    let answer = client::get(kitchen, &path, *patience).await;
    let answer = answer.map_err(|error| trouble(error.to_string()))?;
    request.note(Wait::RemoteApi, Amount::Bytes(answer.length), format!("GET {path}"));
    if answer.status != 200 {
        return Err(trouble(format!("it answers with status {}", answer.status)));
    }
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(mut dish) if dish["toppings"].is_array() => Ok(dish["toppings"].take()),
        _ => Err(trouble("it does not answer with toppings".to_owned())),
    }
}

async fn look_up_burgers(n: u32, stand: &Stand, request: &Request) -> Result<Vec<String>, Problem> {
    let burgers = stand.store.burgers(n).await?;
    request.note(Wait::DatabaseQuery, Amount::Rows(burgers.len()), SELECT_BURGERS);
    Ok(burgers)
}

async fn insert_order(
    customer: &str,
    burgers: &[String],
    stand: &Stand,
    request: &Request,
) -> Result<i64, Problem> {
    let order = stand.store.insert_order(customer.to_owned(), burgers.join(", ")).await?;
    request.note(Wait::DatabaseOperation, Amount::Rows(1), INSERT_ORDER);
    Ok(order)
}

/// When it returns, the receipt is on the disk, whole.
async fn write_receipt(
    order: i64,
    result: &Value,
    stand: &Stand,
    request: &Request,
) -> Result<(), Problem> {
    let receipt = format!("{result}\n");
    let (length, name) = (receipt.len(), format!("receipts/{order}.json"));
    let written = fs::write(stand.folder.join(&name), receipt).await;
    written.map_err(Problem::ours("the receipt cannot be written"))?;
    request.note(Wait::FileWritten, Amount::Bytes(length), name);
    Ok(())
}

/// What the path operations work with.
pub(crate) struct Stand {
    /// Holds the menu, the recipe, the receipts and the database.
    folder: PathBuf,
    /// How many burgers the menu has.
    menu: u32,
    store: Store,
    kitchen: Url,
    /// How long the kitchen may take.
    patience: Duration,
    /// Where its loop can be watched.
    pub(crate) loop_page: Option<String>,
}

impl Stand {
    /// Opens the stand in a folder that exists, and puts there what is missing.
    pub(crate) async fn open(
        folder: &Path,
        kitchen: Url,
        patience: Duration,
    ) -> Result<Stand, String> {
        // Before the files: writing one of them also syncs the folder that this one is in.
        let receipts = folder.join("receipts");
        make_folder(&receipts).await?;
        sweep(folder, &receipts).await;
        provide(&folder.join("recipe.txt"), RECIPE).await?;
        let menu = provide(&folder.join("menu.txt"), MENU).await?;
        let names = menu.lines().map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_owned).collect();
        let menu = u32::try_from(names.len()).unwrap_or(u32::MAX);
        if menu == 0 {
            return Err("menu.txt: there is no burger in it; write one on each line".to_owned());
        }
        let store = Store::open(folder, names).await?;
        Ok(Stand { folder: folder.to_owned(), menu, store, kitchen, patience, loop_page: None })
    }

    fn has(&self, n: u32) -> Result<(), Problem> {
        if (1..=self.menu).contains(&n) {
            return Ok(());
        }
        Err(Problem::new(400, format!("the menu has 1 to {} burgers, not {n}", self.menu)))
    }
}

async fn make_folder(path: &Path) -> Result<(), String> {
    let folder = path.to_owned();
    let made = reactor::blocking::spawn_blocking(move || std::fs::create_dir_all(folder)).await;
    made.map_err(std::io::Error::from).and_then(|made| made).map_err(|error| unusable(path, &error))
}

/// Clears away what a crash left half-written: `fs::write` calls it `.PID-n.tmp`.
async fn sweep(folder: &Path, receipts: &Path) {
    let folders = [folder.to_owned(), receipts.to_owned()];
    let sweep = move || {
        for entry in folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten()
        {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') && name.ends_with(".tmp") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    };
    let _ = reactor::blocking::spawn_blocking(sweep).await;
}

/// Reads a file. If there is none, it is written first; what is there is never changed.
async fn provide(path: &Path, content: &str) -> Result<String, String> {
    match fs::read_to_string(path).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let written = fs::write(path, content).await;
            written.map(|()| content.to_owned()).map_err(|error| unusable(path, &error))
        }
        result => result.map_err(|error| unusable(path, &error)),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}; mend that, or use another folder with --data", path.display())
}
