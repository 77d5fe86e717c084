// The scan of one chunk: tests a segment's rows against probes by the bound of int8 codes and
// appends every row that may still count.
//
// One invocation owns ROWS_A_LANE rows, one workgroup one tile of probes: dispatch (tiles, rows /
// (WORKGROUP * ROWS_A_LANE)). Tiles come first, so that workgroups that run side by side read the
// same rows and memory is read once. All lanes read the same codes of a probe at the same time,
// which caches and scalar units hand to all of them at once: staging these in workgroup memory
// brought nothing but barriers, a quarter more time on software Vulkan. A row is appended to a
// probe's list iff z >= theta; whatever is left out is strictly below the k-th best (see `bound`).
// The dot product of codes is exact. Four finite f32 operations follow it, which may be fused or
// rounded to either neighbour; there is no division.
//
// dot4I8Packed is core WGSL. Where a device has no such instruction the compiler of this text takes
// the bytes apart and multiplies them as i32, which gives the same integer: there is no second path
// to keep.

override WORKGROUP: u32 = 64u;

// Rows that lie interleaved in memory, so that neighbouring lanes read neighbouring vec4.
const BLOCK_ROWS: u32 = 64u;
// vec4 behind a block's codes: scale and residual of two rows in each.
const BOUND_QUADS: u32 = 32u;
const ROWS_A_LANE: u32 = 4u;
const TILE_PROBES: u32 = 8u;
// Residual of a row that must not be found, and a theta that no row reaches.
const HIDDEN: f32 = -1e32;
const THETA_CLOSED: f32 = 1e30;

struct ChunkParams {
    // First row of the chunk and the one after its last, counted in the segment.
    row_first: u32,
    row_end: u32,
    // The gallery's place of the segment's row 0.
    row_base: u32,
    // vec4 of one row's codes: D / 16, rounded up.
    quads: u32,
    // Places in one probe's list.
    list_len_max: u32,
    // The chunk's number in the pass.
    chunk: u32,
    // One bit for each tile that has a probe to go on with.
    tiles_open: u32,
    k: u32,
}

struct ProbeProgress {
    // Rows with z below it are proven to be out.
    theta: f32,
    // A: the length of the probe's codes, rounded up.
    a: f32,
    // How far theta stays below the k-th largest low.
    margin: f32,
    // The chunk that is to be scored next; a probe whose list overflowed stays behind.
    chunk: u32,
    // Rows in the list after the chunk before.
    kept_len: u32,
    // Rows offered to the list; more than list_len_max means that some were lost.
    list_len: atomic<u32>,
}

struct DeviceHit {
    place: u32,
    // The dot product of codes, exact.
    dot: i32,
    z: f32,
    // z less twice the row's residual.
    low: f32,
}

// The segment, block by block: [quads][64] vec4 of 16 codes, then 64 pairs of scale and residual.
@group(0) @binding(0) var<storage, read> rows: array<vec4<u32>>;
// The pass. probes: [tile][quads][TILE_PROBES], or [quads] of the one probe; progress: [probe];
// list: [probe][list_len_max].
@group(1) @binding(0) var<uniform> params: ChunkParams;
@group(1) @binding(1) var<storage, read> probes: array<vec4<u32>>;
@group(1) @binding(2) var<storage, read_write> progress: array<ProbeProgress>;
@group(1) @binding(3) var<storage, read_write> list: array<DeviceHit>;

// The rows of one lane.
struct Lane {
    // Each row's place in the segment.
    places: vec4<u32>,
    // Each row's first vec4.
    at: vec4<u32>,
    scales: vec4<f32>,
    residuals: vec4<f32>,
}

fn bound_of(place: u32) -> vec2<f32> {
    let block = (place / BLOCK_ROWS) * (params.quads * BLOCK_ROWS + BOUND_QUADS);
    let pair = rows[block + params.quads * BLOCK_ROWS + (place % BLOCK_ROWS) / 2u];
    return bitcast<vec2<f32>>(select(pair.xy, pair.zw, place % 2u == 1u));
}

fn lane_of(group: u32, lane: u32) -> Lane {
    let first = params.row_first + group * WORKGROUP * ROWS_A_LANE + lane;
    let places = first + WORKGROUP * vec4<u32>(0u, 1u, 2u, 3u);
    // What lies beyond the chunk is read in its last row's stead and can't be found.
    let read = min(places, vec4<u32>(params.row_end - 1u));
    let at = (read / BLOCK_ROWS) * (params.quads * BLOCK_ROWS + BOUND_QUADS) + read % BLOCK_ROWS;
    let x = bound_of(read.x);
    let y = bound_of(read.y);
    let z = bound_of(read.z);
    let w = bound_of(read.w);
    let found = vec4<f32>(x.y, y.y, z.y, w.y);
    let residuals = select(vec4<f32>(HIDDEN), found, places < vec4<u32>(params.row_end));
    return Lane(places, at, vec4<f32>(x.x, y.x, z.x, w.x), residuals);
}

fn head_of(probe: u32) -> vec2<f32> {
    let theta = select(THETA_CLOSED, progress[probe].theta, progress[probe].chunk == params.chunk);
    return vec2<f32>(theta, progress[probe].a);
}

fn dot16(r: vec4<u32>, p: vec4<u32>) -> i32 {
    return dot4I8Packed(r.x, p.x) + dot4I8Packed(r.y, p.y)
        + dot4I8Packed(r.z, p.z) + dot4I8Packed(r.w, p.w);
}

fn dots(x: vec4<u32>, y: vec4<u32>, z: vec4<u32>, w: vec4<u32>, p: vec4<u32>) -> vec4<i32> {
    return vec4<i32>(dot16(x, p), dot16(y, p), dot16(z, p), dot16(w, p));
}

fn offer(probe: u32, head: vec2<f32>, lane: Lane, sums: vec4<i32>) {
    let z = vec4<f32>(sums) * lane.scales + head.y * lane.residuals;
    if (any(z >= vec4<f32>(head.x))) {
        let low = z - 2.0 * head.y * lane.residuals;
        for (var row = 0u; row < ROWS_A_LANE; row += 1u) {
            if (z[row] >= head.x) {
                let at = atomicAdd(&progress[probe].list_len, 1u);
                if (at < params.list_len_max) {
                    let place = params.row_base + lane.places[row];
                    list[probe * params.list_len_max + at] =
                        DeviceHit(place, sums[row], z[row], low[row]);
                }
            }
        }
    }
}

// One probe alone.
@compute @workgroup_size(WORKGROUP)
fn score_one(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane_index: u32,
) {
    let lane = lane_of(workgroup.y, lane_index);
    var sums = vec4<i32>();
    for (var quad = 0u; quad < params.quads; quad += 1u) {
        let at = lane.at + quad * BLOCK_ROWS;
        sums += dots(rows[at.x], rows[at.y], rows[at.z], rows[at.w], probes[quad]);
    }
    offer(0u, head_of(0u), lane, sums);
}

// Tiles of TILE_PROBES probes.
@compute @workgroup_size(WORKGROUP)
fn score_tile(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane_index: u32,
) {
    let tile = workgroup.x;
    if (((params.tiles_open >> tile) & 1u) == 0u) {
        return;
    }
    let probe = tile * TILE_PROBES;
    let lane = lane_of(workgroup.y, lane_index);
    var sums_0 = vec4<i32>();
    var sums_1 = vec4<i32>();
    var sums_2 = vec4<i32>();
    var sums_3 = vec4<i32>();
    var sums_4 = vec4<i32>();
    var sums_5 = vec4<i32>();
    var sums_6 = vec4<i32>();
    var sums_7 = vec4<i32>();
    for (var quad = 0u; quad < params.quads; quad += 1u) {
        let at = lane.at + quad * BLOCK_ROWS;
        let x = rows[at.x];
        let y = rows[at.y];
        let z = rows[at.z];
        let w = rows[at.w];
        let p = (tile * params.quads + quad) * TILE_PROBES;
        sums_0 += dots(x, y, z, w, probes[p]);
        sums_1 += dots(x, y, z, w, probes[p + 1u]);
        sums_2 += dots(x, y, z, w, probes[p + 2u]);
        sums_3 += dots(x, y, z, w, probes[p + 3u]);
        sums_4 += dots(x, y, z, w, probes[p + 4u]);
        sums_5 += dots(x, y, z, w, probes[p + 5u]);
        sums_6 += dots(x, y, z, w, probes[p + 6u]);
        sums_7 += dots(x, y, z, w, probes[p + 7u]);
    }
    offer(probe, head_of(probe), lane, sums_0);
    offer(probe + 1u, head_of(probe + 1u), lane, sums_1);
    offer(probe + 2u, head_of(probe + 2u), lane, sums_2);
    offer(probe + 3u, head_of(probe + 3u), lane, sums_3);
    offer(probe + 4u, head_of(probe + 4u), lane, sums_4);
    offer(probe + 5u, head_of(probe + 5u), lane, sums_5);
    offer(probe + 6u, head_of(probe + 6u), lane, sums_6);
    offer(probe + 7u, head_of(probe + 7u), lane, sums_7);
}
