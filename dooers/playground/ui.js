/** The view library: Preact with tagged templates, and signals that re-render the components which read them. */

import { Component, createElement, Fragment, render } from "./vendor/preact.js";
import { useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState } from "./vendor/hooks.js";
import htm from "./vendor/htm.js";
import { batch, computed, effect, signal } from "./vendor/signals.js";

/** Makes elements from a template: html`<p class="muted">${text}</p>`. */
export const html = htm.bind(createElement);

/**
 * Returns the value of a signal, and renders the component again when it changes.
 *
 * @template T
 * @param {import("./vendor/signals.js").ReadonlySignal<T>} source
 * @returns {T}
 */
export function useValue(source) {
  const [, update] = useReducer((/** @type {number} */ count) => count + 1, 0);
  useLayoutEffect(() => {
    const shown = source.peek();
    return effect(() => {
      if (source.value !== shown) update(undefined);
    });
  });
  return source.value;
}

/**
 * Renders the component again when a target dispatches an event, at most once per frame of the screen. In a hidden page,
 * which has no frames, it renders at once.
 *
 * @param {EventTarget | null | undefined} target
 * @param {string} type the type of the event
 */
export function useChanges(target, type = "change") {
  const [, update] = useReducer((/** @type {number} */ count) => count + 1, 0);
  useEffect(() => {
    if (!target) return undefined;
    let frame = 0;
    const onChange = () => {
      if (document.hidden) {
        update(undefined);
      } else if (frame === 0) {
        frame = requestAnimationFrame(() => {
          frame = 0;
          update(undefined);
        });
      }
    };
    target.addEventListener(type, onChange);
    // A change between the rendering and this effect.
    onChange();
    return () => {
      cancelAnimationFrame(frame);
      target.removeEventListener(type, onChange);
    };
  }, [target, type]);
}

export {
  batch,
  Component,
  computed,
  effect,
  Fragment,
  render,
  signal,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
};
