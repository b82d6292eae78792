/** The one door to the server: components import its calls and the names of its bodies from here. */
export { api, ApiError, signedOut, Unreachable } from './client';
export type * from './types';
